/** The batch of one optimizer step, and the graph's inputs that it becomes. */
import type { AdamWOptions } from './adamw.ts';
import type { Objective } from './losses.ts';
import type { Sequence } from './micro-batches.ts';

/** Scalar inputs of a graph. */
export interface Scalars {
  floats: Readonly<Record<string, number>>;
  flags: Readonly<Record<string, boolean>>;
}

/** Numbers in force for an update, for every objective. */
export interface UpdateOptions extends AdamWOptions {
  /** Limit of the gradient's global norm; 0: no clipping. */
  max_grad_norm: number;
}

/** Numbers in force for a policy-gradient step; names and meanings are TRL's. */
export interface PolicyGradientOptions extends UpdateOptions {
  loss: 'grpo' | 'cispo';
  importance_sampling_level: Objective['level'];
  epsilon: number;
  /** For `cispo`, the bound of ρ itself. */
  epsilon_high: number;
  /** Upper bound of ρ in the unclipped term; null: none. */
  delta: number | null;
  beta: number;
  use_bias_correction_kl: boolean;
  temperature: number;
}

export interface TrainBatch {
  sequences: readonly Sequence[];
  /** One for each sequence. */
  advantagesB: ArrayLike<number>;
  /** Per sequence, per completion token; null: those of the training step's own forward pass. */
  oldLogprobs: readonly Float32Array[] | null;
  /** The same of the reference policy; null: no reference, the KL term is zero. */
  refLogprobs: readonly Float32Array[] | null;
  /** Per sequence, per completion token: its weight in the loss −Σ w·l. */
  tokenWeights: readonly Float32Array[];
  options: PolicyGradientOptions;
}

export interface SftBatch {
  sequences: readonly Sequence[];
  /** Per sequence, per completion token: its weight in the loss −Σ w·log π. */
  tokenWeights: readonly Float32Array[];
  options: UpdateOptions;
  /** Several sequences per row, with attention inside each only: equal results up to rounding. Default: no. */
  packing?: boolean;
}

/** 1 + ε_high, or for `cispo` ε_high, which TRL takes as the bound of ρ itself. */
export function ratioHigh({ loss, epsilon_high }: PolicyGradientOptions): number {
  return loss === 'cispo' ? epsilon_high : 1 + epsilon_high;
}

/** The objective's inputs with one value for each scored token. */
export function policyTokens(batch: TrainBatch): Record<string, readonly Float32Array[]> {
  const { sequences, advantagesB, tokenWeights } = batch;
  if (advantagesB.length !== sequences.length) {
    throw new Error(
      `A batch of ${sequences.length} sequences has ${advantagesB.length} advantages; expected one for each.`,
    );
  }
  const repeated = sequences.map(({ completionTokens }, index) =>
    new Float32Array(completionTokens.length).fill(advantagesB[index] ?? 0),
  );
  const unused = sequences.map(({ completionTokens }) => new Float32Array(completionTokens.length));
  return {
    advantages: repeated,
    tokenWeights,
    oldLogprobs: batch.oldLogprobs ?? unused,
    refLogprobs: batch.refLogprobs ?? unused,
  };
}

export function policyScalars({ options, oldLogprobs, refLogprobs }: TrainBatch): Scalars {
  return {
    floats: {
      temperature: options.temperature,
      // An epsilon of 1 or more leaves no lower bound: no ratio is below 1 − ε ≤ 0.
      ratioLow: 1 - options.epsilon,
      ratioHigh: ratioHigh(options),
      delta: options.delta ?? Number.POSITIVE_INFINITY,
      beta: options.beta,
    },
    flags: {
      ownOld: oldLogprobs === null,
      ownRef: refLogprobs === null,
      correctKl: options.use_bias_correction_kl,
    },
  };
}
