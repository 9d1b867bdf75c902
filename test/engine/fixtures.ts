/** Small models and batches drawn from a seed, for the engine's tests and benchmarks. */

import { elementCount, type TensorMap } from '../../engine/graph/tensor.ts';
import { expectedTensors, type ModelConfig } from '../../engine/model/architecture.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import type { Sequence } from '../../engine/train/micro-batches.ts';
import { createPolicy, type Policy } from '../../engine/train/policy.ts';
import type { PolicyGradientOptions, TrainBatch } from '../../engine/train/train-batch.ts';

/** 0.86 million parameters. */
export const nanoConfig: ModelConfig = {
  architecture: 'LlamaForCausalLM',
  vocab_size: 48,
  hidden_size: 128,
  intermediate_size: 352,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  head_dim: 32,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  attention_bias: false,
  tie_word_embeddings: true,
  initializer_range: 0.02,
  bos_token_id: null,
  eos_token_id: null,
  pad_token_id: null,
};

/** Small enough for finite differences; two query heads share each key-value head. */
export const tinyConfig: ModelConfig = {
  ...nanoConfig,
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  max_position_embeddings: 64,
  rope_theta: 100,
};

/** mulberry32: uniform in [0, 1). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal deviates, by Box and Muller. */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Weights of deviation 0.5/√in, norms' scales about 1, so that no gradient is vanishingly small. */
export function randomWeights(config: ModelConfig, seed: number): Map<string, Float32Array> {
  const draw = normal(seed);
  return new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const scale = shape.length === 1 ? 0.1 : 0.8 / Math.sqrt(shape[1] ?? 1);
      const center = name.includes('norm') ? 1 : 0;
      return [name, Float32Array.from({ length: elementCount(shape) }, () => center + scale * draw())];
    }),
  );
}

export interface RandomPolicyOptions {
  runtime: Runtime;
  config: ModelConfig;
  seed: number;
  maxMicroBatchTokens?: number | undefined;
  freeBetweenCalls?: boolean;
}

export function randomPolicy({ runtime, config, seed, ...options }: RandomPolicyOptions): Policy {
  const weights = randomTensors(runtime, config, seed);
  return createPolicy({ runtime, config, weights, ...options });
}

export function randomTensors(runtime: Runtime, config: ModelConfig, seed: number): TensorMap {
  const shapes = expectedTensors(config);
  return new Map(
    [...randomWeights(config, seed)].map(([name, data]) => [
      name,
      runtime.createTensor('float32', shapes.get(name) ?? [], data),
    ]),
  );
}

export interface BatchShape {
  config: ModelConfig;
  rows: number;
  promptLength: number;
  completionLength: number;
  /** Lengths are drawn up to the given ones. */
  ragged?: boolean;
  seed: number;
}

export function randomSequences(shape: BatchShape): Sequence[] {
  const next = uniform(shape.seed);
  const tokens = (most: number): Int32Array => {
    const length = shape.ragged ? 1 + Math.floor(next() * most) : most;
    return Int32Array.from({ length }, () => Math.floor(next() * shape.config.vocab_size));
  };
  return Array.from({ length: shape.rows }, () => ({
    promptTokens: tokens(shape.promptLength),
    completionTokens: tokens(shape.completionLength),
  }));
}

export const grpoOptions: PolicyGradientOptions = {
  loss: 'grpo',
  importance_sampling_level: 'token',
  epsilon: 0.2,
  epsilon_high: 0.2,
  delta: null,
  beta: 0.001,
  use_bias_correction_kl: false,
  temperature: 1,
  max_grad_norm: 1,
  learning_rate: 1e-4,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0,
  step: 1,
};

/** `loss_type: grpo`: the mean over sequences of the mean over their tokens. */
export function meanOfMeans(sequences: readonly Sequence[]): Float32Array[] {
  return sequences.map(({ completionTokens: { length } }) => {
    return new Float32Array(length).fill(1 / (length * sequences.length));
  });
}

export function grpoBatch(shape: BatchShape): TrainBatch {
  const sequences = randomSequences(shape);
  const draw = normal(shape.seed + 1);
  return {
    sequences,
    advantagesB: Float32Array.from(sequences, () => draw()),
    oldLogprobs: null,
    refLogprobs: null,
    tokenWeights: meanOfMeans(sequences),
    options: grpoOptions,
  };
}
