/**
 * Weights before any training. Each tensor draws from a seed of its own, so that neither the order of the
 * tensors nor the size of another changes its numbers.
 */

import { deriveSeed, seedWords, uniformFromWords } from '../../algorithm/random/seeds.ts';
import { elementsOf } from '../../contracts/format/dtypes.ts';
import type { StoredTensor, StoredTensors } from '../weights/safetensors.ts';
import { expectedTensors, type ModelConfig } from './architecture.ts';

/** Matrices from N(0, `initializer_range`²), as transformers does; the norms' scales are 1. */
export function initialWeights(config: ModelConfig, seed: bigint): StoredTensors {
  const shapes = [...expectedTensors(config)];
  return new Map(shapes.map(([name, shape]) => [name, initialTensor(name, shape, config, seed)]));
}

/** One of them. */
export function initialTensor(
  name: string,
  shape: readonly number[],
  { initializer_range }: Pick<ModelConfig, 'initializer_range'>,
  seed: bigint,
): StoredTensor {
  const isScale = shape.length === 1;
  const data = new Float32Array(elementsOf(shape));
  if (isScale) data.fill(1);
  else fillNormal(data, tensorSeed(seed, name), initializer_range);
  return { dtype: 'F32', shape, data };
}

function tensorSeed(runSeed: bigint, name: string): bigint {
  const purpose = `initialise ${name}`;
  return deriveSeed({ runSeed, stage: 'pretrain', branch: 0, purpose, step: 0, slot: 0, sample: 0 });
}

/** Pairs of normal draws from pairs of uniform ones (Box and Muller 1958). */
function fillNormal(data: Float32Array, seed: bigint, deviation: number): void {
  const key = seedWords(seed);
  for (let i = 0; i < data.length; i += 2) {
    // r = √(−2·ln(1 − u₁)), φ = 2π·u₂; 1 − u is never 0
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniformFromWords(key, i)));
    const angle = 2 * Math.PI * uniformFromWords(key, i + 1);
    data[i] = radius * Math.cos(angle);
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
  }
}
