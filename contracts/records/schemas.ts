import { z } from 'zod';
import { amount, figure, probability, share } from '../bounds.ts';
import { stepKeySchema } from '../identity.ts';
import { numericsSchema } from '../numerics.ts';
import { samplingSchema } from '../options.ts';
import { type Reference, referenceSchema, sha256Schema } from '../reference.ts';

/**
 * The records that activities exchange, as stored in S3. Each is one safetensors file: the record as JSON under
 * `record` in the header's metadata, and its arrays and texts as tensors (`tensors.ts` has their names, dtypes and
 * axes). Any language can read them. Every record names its version; version 1, which has no such field, is in
 * `release-1.ts`.
 *
 * A rollout is cut into shards of whole groups. A shard has a request, a rollout, its scores, their texts and its
 * log-probabilities, each one record; the rollout's index lists the shards and holds what batches are cut by.
 *
 * Axes: N sequences · P distinct prompts · T tokens of all sequences, concatenated · K rewards.
 */

/** Version of the records that this release writes. */
export const RECORD_VERSION = 2;
const version = z.literal(RECORD_VERSION);

/** Position in the order of the prompts: `position` prompts of epoch `pass` have been used. */
export const cursorSchema = z.strictObject({ pass: z.int().nonnegative(), position: z.int().nonnegative() });
export type Cursor = z.infer<typeof cursorSchema>;

/** One prompt drawn for a rollout. */
export const drawnPromptSchema = z.strictObject({
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
 * A complete request to sample one shard (rule 8: the request is the unit). Written by `draw-prompts`,
 * `draw-evaluation` or `draw-samples`, read by `sample`, `score-shard` and `make-batch`. Its prompts are tensors.
 * Sequence n samples prompt ⌊n / numGenerations⌋ with seed n.
 */
export const sampleRequestSchema = z.strictObject({
  kind: z.literal('sample-request'),
  version,
  numGenerations: z.int().positive(),
  sampling: samplingSchema,
  /** manifest of the checkpoint whose tokenizer encoded the prompts; null for a model outside of the object store */
  model: referenceSchema.nullable(),
  eosTokenIds: z.array(z.int().nonnegative()).min(1),
});
export type SampleRequestRecord = z.infer<typeof sampleRequestSchema>;

/** A request in memory, of either version: [P] prompts, and a seed for each sequence, [P × numGenerations]. */
export interface SampleRequest extends Omit<SampleRequestRecord, 'kind' | 'version'> {
  prompts: DrawnPrompt[];
  seeds: string[];
}

/** The completions of one shard's request. Written by `sample`; read by `score-shard`, `logprobs`, `make-batch`. */
export const rolloutSchema = z.strictObject({
  kind: z.literal('rollout'),
  version,
  request: referenceSchema,
  /** the policy that sampled all completions (rule 9) */
  policy: sha256Schema,
  /** digest of its weights; null where none is known */
  policyDigest: sha256Schema.nullable(),
  /** of the sampler */
  numerics: numericsSchema,
});

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
 * Verdicts of every reward on one shard, separately, and what batches need to know of its completions. Written by
 * `score-shard`; read by `index-rollout`, `record-evaluation`, `select-samples`. Verdicts are tensors `REWARD.score`, …
 */
export const scoresSchema = z.strictObject({
  kind: z.literal('scores'),
  version,
  rollout: referenceSchema,
  /** the record with the completions as text */
  texts: referenceSchema,
  /** [K] */
  rewards: z.array(z.strictObject({ name: z.string(), version: z.int().positive() })),
});
export type ScoresHeader = z.infer<typeof scoresSchema>;

/** One reward's verdicts in memory, [N]. */
export interface JudgedReward {
  name: string;
  version: number;
  verdicts: Verdict[];
}

/** Scores in memory, of either version. */
export interface ScoresRecord {
  rollout: Reference;
  /** [K] */
  rewards: JudgedReward[];
  /** completions as text, [N] */
  texts: string[];
}

/** The completions of one shard as text. Written by `score-shard`. */
export const textsSchema = z.strictObject({ kind: z.literal('texts'), version, rollout: referenceSchema });

/**
 * Log-probabilities of one shard's completions under the policy before training ("old") and under the reference.
 * Written by `logprobs`; read by `make-batch`.
 */
export const logprobsSchema = z.strictObject({
  kind: z.literal('logprobs'),
  version,
  rollout: referenceSchema,
  temperature: amount.gt(0),
  policy: sha256Schema,
  referenceDigest: sha256Schema.nullable(),
  numerics: numericsSchema,
});
export type LogprobsRecord = z.infer<typeof logprobsSchema>;

/** One shard of a rollout. */
const shardSchema = z.strictObject({
  request: referenceSchema,
  rollout: referenceSchema,
  scores: referenceSchema,
  logprobs: referenceSchema.nullable(),
});
export type Shard = z.infer<typeof shardSchema>;

/**
 * A whole rollout: its shards, and the columns that batches are cut by. Groups are those that are trained on, in the
 * order in which they were sampled; dynamic sampling keeps only some groups of a shard. Written by `index-rollout`;
 * read by `make-batch`.
 */
export const rolloutIndexSchema = z.strictObject({
  kind: z.literal('rollout-index'),
  version,
  numGenerations: z.int().positive(),
  /** groups in the first shard; the others are of this size, the last may be smaller */
  shardSize: z.int().positive(),
  sampling: samplingSchema,
  /** the policy that sampled all shards */
  policy: sha256Schema,
  policyDigest: sha256Schema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  /** of the sampler; of the first shard where they differ */
  numerics: numericsSchema,
  shards: z.array(shardSchema).min(1),
  /** [K] */
  rewards: z.array(z.strictObject({ name: z.string(), version: z.int().positive() })),
  /** statistics of the whole rollout */
  health: z.strictObject({
    truncatedShare: share,
    emptyThinkingShare: share.nullable(),
    errorShare: share,
  }),
});
export type RolloutIndexRecord = z.infer<typeof rolloutIndexSchema>;

/** Sequences for a reward model. Written by `prepare-scoring`, read by `score`. */
export const sequencesSchema = z.strictObject({ kind: z.literal('sequences'), version });

/** A reward model's outputs. Written by `score`. */
export const modelScoresSchema = z.strictObject({
  kind: z.literal('model-scores'),
  version,
  sequences: referenceSchema,
  /** manifest of the reward model's checkpoint */
  model: referenceSchema,
  numerics: numericsSchema,
});

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
 * What a trainer computes of the weights after a step. `fingerprint`: where the next rollout, publication or checkpoint
 * starts from this step and no digest is due; a worker may answer it with a digest. See `contracts/README.md`.
 */
export const weightsCheckSchema = z.enum(['none', 'fingerprint', 'digest']);
export type WeightsCheck = z.infer<typeof weightsCheckSchema>;

/**
 * The complete log record of one step (rule 2), the only input of replay. Written by `make-batch`, read by
 * `train-step`, in the first attempt and in every replay.
 */
export const batchSchema = z.strictObject({
  kind: z.literal('batch'),
  version,
  key: stepKeySchema.strict(),
  /** the index of the rollout that it was cut from */
  rollout: referenceSchema,
  numbers: numbersInForceSchema,
  /** `own`: the step computes the old log-probabilities itself, since the weights that it trains also sampled */
  old: z.enum(['own', 'logged']),
  /** the policy that sampled */
  policy: sha256Schema,
  /** digest of its weights; null where it is not known */
  policyDigest: sha256Schema.nullable(),
  /** the policy that this step starts from; the trainer rejects any other */
  policyBefore: sha256Schema,
  /** digest of the weights that this step starts from; null where it is not known */
  digestBefore: sha256Schema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  /** of the sampler */
  samplerNumerics: numericsSchema,
  /** after the step: π_ref ← α π_θ + (1−α) π_ref; null: the reference does not change */
  refreshReference: z.strictObject({ alpha: probability }).nullable(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
  checkAfter: weightsCheckSchema,
});
export type BatchRecord = z.infer<typeof batchSchema>;

/** Every number in force in one step of supervised training (rules 2 and 7). */
export const supervisedNumbersSchema = z.strictObject({
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
export const supervisedObjectiveSchema = z.enum(['sft', 'pairwise', 'pointwise']);
export type SupervisedObjective = z.infer<typeof supervisedObjectiveSchema>;

/**
 * The complete log record of one supervised step. Written by `make-supervised-batch`, read by `train-step`.
 * For `pairwise` sequences 2i and 2i+1 are the chosen and the rejected one of pair i.
 */
export const supervisedBatchSchema = z.strictObject({
  kind: z.literal('supervised-batch'),
  version,
  key: stepKeySchema.strict(),
  objective: supervisedObjectiveSchema,
  /** digest of the data set, or of the preferences */
  data: sha256Schema,
  packing: z.boolean(),
  numbers: supervisedNumbersSchema,
  /** the policy that this step starts from; the trainer rejects any other */
  policyBefore: sha256Schema,
  /** digest of the weights that this step starts from; null where it is not known */
  digestBefore: sha256Schema.nullable(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
  checkAfter: weightsCheckSchema,
});
export type SupervisedBatchRecord = z.infer<typeof supervisedBatchSchema>;
