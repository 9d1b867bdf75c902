import { z } from 'zod';
import { amount, figure, probability } from './bounds.ts';
import { stepKeySchema } from './identity.ts';
import { numericsSchema } from './numerics.ts';
import { samplingSchema } from './options.ts';
import { referenceSchema, seedSchema, sha256Schema } from './reference.ts';

/**
 * The objects that activities exchange, as stored in S3. Each is one safetensors file: the record as JSON under
 * `record` in the header's metadata, and its arrays as tensors. Any language can read them.
 *
 * Axes: N sequences · P distinct prompts · T tokens of all sequences, concatenated.
 */

/** Position in the order of the prompts: `position` prompts of epoch `pass` have been used. */
export const cursorSchema = z.strictObject({ pass: z.int().nonnegative(), position: z.int().nonnegative() });
export type Cursor = z.infer<typeof cursorSchema>;

/** One prompt drawn for a rollout. */
const drawnPromptSchema = z.strictObject({
  /** slot of the rollout; seeds depend on it */
  slot: z.int().nonnegative(),
  /** the prompt's hash in Postgres */
  prompt: sha256Schema,
  problem: z.string(),
  answer: z.string(),
  domain: z.string(),
  /** start of the answer that the prompt already contains, such as `<think>`; the completion continues it */
  prefill: z.string().optional(),
});
export type DrawnPrompt = z.infer<typeof drawnPromptSchema>;

/**
 * A complete request to sample (rule 8: the request is the unit). Written by `draw-prompts` or `draw-evaluation`,
 * read by `sample`, `score-rollout` and `make-batch`.
 * Tensors: `promptTokens` I32 [T], `promptLengths` I32 [P].
 * Sequence n samples prompt ⌊n / numGenerations⌋ with seed `seeds[n]`.
 */
export const sampleRequestSchema = z.strictObject({
  kind: z.literal('sample-request'),
  prompts: z.array(drawnPromptSchema).min(1),
  numGenerations: z.int().positive(),
  /** one per sequence, [P × numGenerations] */
  seeds: z.array(seedSchema),
  sampling: samplingSchema,
  /** manifest of the checkpoint whose tokenizer encoded the prompts; null for a model outside of the object store */
  model: referenceSchema.nullable(),
  eosTokenIds: z.array(z.int().nonnegative()).min(1),
});
export type SampleRequest = z.infer<typeof sampleRequestSchema>;

/**
 * The completions of a request. Written by `sample`; read by `score-rollout`, `logprobs`, `make-batch`.
 * Tensors: `completionTokens` I32 [T], `completionLengths` I32 [N], `logprobs` F32 [T] (by the sampler),
 * `truncated` I32 [N] (1: cut by the length limit).
 */
export const rolloutSchema = z.strictObject({
  kind: z.literal('rollout'),
  request: referenceSchema,
  /** digest of the weights that sampled all completions (rule 9) */
  policyDigest: sha256Schema,
  numerics: numericsSchema,
});
export type RolloutRecord = z.infer<typeof rolloutSchema>;

/**
 * One reward's verdict on one completion; an error never counts as zero (rule 10). `extracted`: the answer that was
 * judged, where the verifier finds it by more than tags.
 */
export const verdictSchema = z.union([
  z.strictObject({
    score: figure,
    extracted: z.string().optional(),
    /** the same text for answers of equal value; null for a response without an answer; absent: not known */
    value: z.string().nullable().optional(),
    /** the reward does not apply to this prompt's domain: it is not part of the sum or of any mean */
    absent: z.literal(true).optional(),
  }),
  z.strictObject({ error: z.strictObject({ kind: z.string(), message: z.string() }) }),
]);
export type Verdict = z.infer<typeof verdictSchema>;

/**
 * Verdicts of every reward, separately. Written by `score-rollout`; read by `make-batch`, `record-evaluation`. No
 * tensors.
 */
export const scoresSchema = z.strictObject({
  kind: z.literal('scores'),
  rollout: referenceSchema,
  rewards: z.array(
    z.strictObject({
      name: z.string(),
      version: z.int().positive(),
      /** [N] */ verdicts: z.array(verdictSchema),
    }),
  ),
  /** completions as text, [N] */
  texts: z.array(z.string()),
});
export type ScoresRecord = z.infer<typeof scoresSchema>;

/**
 * Log-probabilities of a rollout's completions under the policy before training ("old") and under the reference.
 * Written by `logprobs`; read by `make-batch`.
 * Tensors: `old` F32 [T] and `reference` F32 [T], each only where requested.
 */
export const logprobsSchema = z.strictObject({
  kind: z.literal('logprobs'),
  rollout: referenceSchema,
  temperature: amount.gt(0),
  policyDigest: sha256Schema,
  referenceDigest: sha256Schema.nullable(),
  numerics: numericsSchema,
});
export type LogprobsRecord = z.infer<typeof logprobsSchema>;

/** Every number in force in one step (rules 2 and 7). */
export const numbersInForceSchema = z.strictObject({
  learning_rate: amount,
  temperature: amount.gt(0),
  beta: amount,
  use_bias_correction_kl: z.boolean(),
  epsilon: amount.gt(0),
  epsilon_high: amount.gt(0),
  /** null: without a bound */
  delta: figure.nullable(),
  loss_type: z.enum(['grpo', 'dapo', 'bnpo', 'dr_grpo']),
  max_grad_norm: amount,
  weight_decay: amount,
  adam_beta1: figure,
  adam_beta2: figure,
  adam_epsilon: figure,
  /** number of the update for Adam's bias correction, from 1 */
  adam_step: z.int().positive(),
});
export type NumbersInForce = z.infer<typeof numbersInForceSchema>;

/** A completion left out of the batch, and why. */
export const dropSchema = z.strictObject({
  /** index of the sequence in the rollout */
  sequence: z.int().nonnegative(),
  reason: z.enum(['error', 'group-too-small', 'filtered']),
  message: z.string(),
});
export type Drop = z.infer<typeof dropSchema>;

/**
 * The complete log record of one step (rule 2), the only input of replay. Written by `make-batch`, read by
 * `train-step`, in the first attempt and in every replay.
 * Tensors: `promptTokens` I32 [T], `promptLengths` I32 [N], `completionTokens` I32 [T],
 * `completionLengths` I32 [N], `advantages` F32 [N], `lossWeights` F32 [N] (every token of sequence n weighs
 * `lossWeights[n]`), `samplerLogprobs` F32 [T], `oldLogprobs` F32 [T] unless `old` is `own`,
 * `referenceLogprobs` F32 [T] unless beta is 0, `sequences` I32 [N] (indices in the rollout).
 */
export const batchSchema = z.strictObject({
  kind: z.literal('batch'),
  key: stepKeySchema.strict(),
  rollout: referenceSchema,
  scores: referenceSchema,
  logprobs: referenceSchema.nullable(),
  numbers: numbersInForceSchema,
  /** `own`: the step computes the old log-probabilities itself, since the weights that it trains also sampled */
  old: z.enum(['own', 'logged']),
  /** digest of the weights that sampled */
  policyDigest: sha256Schema,
  /**
   * digest of the weights that this step starts from; the trainer rejects any other. Null where `digest_steps`
   * skipped it
   */
  digestBefore: sha256Schema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  /** after the step: π_ref ← α π_θ + (1−α) π_ref; null: the reference does not change */
  refreshReference: z.strictObject({ alpha: probability }).nullable(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
  drops: z.array(dropSchema),
  /** whether to compute the digest of the weights after the step (rule 11) */
  digestAfter: z.boolean(),
});
export type BatchRecord = z.infer<typeof batchSchema>;

/** Every number in force in one step of supervised training (rules 2 and 7). */
const supervisedNumbersSchema = z.strictObject({
  learning_rate: amount,
  max_grad_norm: amount,
  weight_decay: amount,
  adam_beta1: figure,
  adam_beta2: figure,
  adam_epsilon: figure,
  /** number of the update for Adam's bias correction, from 1 */
  adam_step: z.int().positive(),
});
export type SupervisedNumbers = z.infer<typeof supervisedNumbersSchema>;

/** The loss of supervised training: on examples, on pairs (Bradley–Terry), or on labelled responses. */
const supervisedObjectiveSchema = z.enum(['sft', 'pairwise', 'pointwise']);
export type SupervisedObjective = z.infer<typeof supervisedObjectiveSchema>;

/**
 * The complete log record of one supervised step. Written by `make-supervised-batch`, read by `train-step`.
 * Tensors: `promptTokens` I32 [T], `promptLengths` I32 [N], `completionTokens` I32 [T],
 * `completionLengths` I32 [N], `ordinals` I32 [B] (indices of the trained examples in the data); for `sft`
 * `lossWeights` F32 [N] (every token of sequence n weighs `lossWeights[n]`); for `pointwise` `labels` F32 [N].
 * For `pairwise` sequences 2i and 2i+1 are the chosen and the rejected one of pair i.
 */
export const supervisedBatchSchema = z.strictObject({
  kind: z.literal('supervised-batch'),
  key: stepKeySchema.strict(),
  objective: supervisedObjectiveSchema,
  /** digest of the data set, or of the preferences */
  data: sha256Schema,
  packing: z.boolean(),
  numbers: supervisedNumbersSchema,
  /** digest of the weights that this step starts from; null where `digest_steps` skipped it */
  digestBefore: sha256Schema.nullable(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
  digestAfter: z.boolean(),
});
export type SupervisedBatchRecord = z.infer<typeof supervisedBatchSchema>;
