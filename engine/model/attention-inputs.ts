/** The inputs of full attention besides the tokens: rotary tables, positions and masks. */

import type { FloatTensor, Tensor } from '../graph/tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { layOutPacked, type MicroBatch, type Sequence } from '../train/micro-batches.ts';
import type { ModelConfig } from './architecture.ts';
import { rotaryFrequencies } from './rope-scaling.ts';

/** Positions that the rotary tables hold at first. */
const FIRST_POSITIONS = 128;

export class AttentionInputs {
  private readonly runtime: Runtime;
  private readonly config: ModelConfig;
  private readonly masks = new Map<number, FloatTensor>();
  private readonly position: Tensor;
  private rotary: { positions: number; cos: FloatTensor; sin: FloatTensor } | undefined;

  constructor(runtime: Runtime, config: ModelConfig) {
    this.runtime = runtime;
    this.config = config;
    this.position = runtime.createTensor('int64', [1]);
  }

  /** Inputs that all micro-batches of a length share; kept here. */
  shared({ length }: MicroBatch, { packed }: { packed: boolean }): Record<string, Tensor> {
    const tables = this.rotaryFor(length);
    return packed ? tables : { ...tables, position: this.position, causalMask: this.maskFor(length) };
  }

  /** Inputs of one packed micro-batch; the caller disposes of them. */
  packed(sequences: readonly Sequence[], microBatch: MicroBatch): Record<string, Tensor> {
    const { rows, length } = microBatch;
    const { positions, attentionMask } = layOutPacked(sequences, microBatch);
    return {
      positions: this.runtime.createTensor('int64', [rows.length, length], positions),
      attentionMask: this.runtime.createTensor('float32', [rows.length, length, length], attentionMask),
    };
  }

  private maskFor(length: number): FloatTensor {
    const known = this.masks.get(length);
    if (known) return known;
    const mask = this.runtime.createTensor('float32', [length, length], causalMask(length));
    this.masks.set(length, mask);
    return mask;
  }

  /** The rotary tables, doubled until they hold that many positions. */
  private rotaryFor(length: number): { cos: FloatTensor; sin: FloatTensor } {
    if (this.rotary === undefined || this.rotary.positions < length) this.rotary = this.longerTables(length);
    const { cos, sin } = this.rotary;
    return { cos, sin };
  }

  private longerTables(length: number) {
    const positions = Math.max(length, 2 * (this.rotary?.positions ?? FIRST_POSITIONS));
    const tables = rotaryTables(this.config, positions);
    const shape = [positions, this.config.head_dim / 2];
    this.rotary?.cos.dispose();
    this.rotary?.sin.dispose();
    const tensor = (data: Float32Array) => this.runtime.createTensor('float32', shape, data);
    return { positions, cos: tensor(tables.cos), sin: tensor(tables.sin) };
  }

  dispose(): void {
    for (const mask of this.masks.values()) mask.dispose();
    this.rotary?.cos.dispose();
    this.rotary?.sin.dispose();
    this.position.dispose();
  }
}

export interface RotaryTables {
  /** magnitude · cos(position · frequency), [positions, h/2] */
  cos: Float32Array;
  sin: Float32Array;
}

/** Cosine and sine of the rotary embedding's angles, computed in float64. */
export function rotaryTables(config: ModelConfig, positions: number): RotaryTables {
  const { frequencies, magnitude } = rotaryFrequencies(config);
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position += 1) {
    for (const [i, frequency] of frequencies.entries()) {
      const angle = position * frequency;
      cos[position * half + i] = magnitude * Math.cos(angle);
      sin[position * half + i] = magnitude * Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** [T, T]: 0 where the column is not after the row, else −∞. */
export function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row += 1) {
    mask.fill(Number.NEGATIVE_INFINITY, row * length + row + 1, (row + 1) * length);
  }
  return mask;
}
