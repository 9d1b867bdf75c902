/**
 * Weights before training: of a base model, and of the scalar head with which a reward model begins. Each tensor has
 * its own seed, so that neither the order of the tensors nor the size of another changes its numbers.
 */

import { deriveSeed, seedWords, uniformFromWords } from '../../algorithm/random/seeds.ts';
import { elementsOf } from '../../contracts/format/dtypes.ts';
import type { StoredTensor, StoredTensors } from '../weights/safetensors.ts';
import {
  expectedTensors,
  isRewardModel,
  type ModelConfig,
  rewardArchitecture,
  WEIGHT,
} from './architecture.ts';
import { ModelConfigError } from './model-config.ts';

/** Matrices from N(0, `initializer_range`²), as transformers does; biases are 0, the norms' scales 1. */
export function initialWeights(config: ModelConfig, seed: bigint): StoredTensors {
  const shapes = [...expectedTensors(config)];
  return new Map(shapes.map(([name, shape]) => [name, initialTensor(name, shape, config, seed)]));
}

/** One tensor of the initial weights. */
function initialTensor(
  name: string,
  shape: readonly number[],
  { initializer_range }: Pick<ModelConfig, 'initializer_range'>,
  seed: bigint,
): StoredTensor {
  const data = new Float32Array(elementsOf(shape));
  if (name.endsWith('.bias')) data.fill(0);
  else if (shape.length === 1) data.fill(1);
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

export interface Model {
  config: ModelConfig;
  weights: StoredTensors;
}

/**
 * The model with `score.weight` [1, H] drawn from N(0, `initializer_range`²), and without its output projection,
 * as transformers' `…ForSequenceClassification` does with a causal model. Where the configuration has no padding
 * token, the (first) end token pads. Throws ModelConfigError for a model that has a scalar head already.
 */
export function withScoreHead({ config, weights }: Model, seed: bigint): Model {
  if (isRewardModel(config)) {
    throw new ModelConfigError(`expected a language model, found the reward model "${config.architecture}"`);
  }
  const pad_token_id = config.pad_token_id ?? [config.eos_token_id].flat()[0] ?? null;
  if (pad_token_id === null) {
    throw new ModelConfigError(
      'config.json: pad_token_id: expected a token that pads (or eos_token_id), found neither. Add it to the model.',
    );
  }
  const score = initialTensor(WEIGHT.score, [1, config.hidden_size], config, seed);
  const kept = [...weights].filter(([name]) => name !== WEIGHT.outputProjection);
  return {
    config: { ...config, architecture: rewardArchitecture(config.architecture), pad_token_id },
    weights: new Map([...kept, [WEIGHT.score, score]]),
  };
}
