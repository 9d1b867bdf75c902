import { z } from 'zod';
import { amount, figure, share } from './bounds.ts';
import { leaseSchema } from './identity.ts';
import { numericsSchema } from './numerics.ts';
import { fileNameSchema, referenceSchema, sha256Schema } from './reference.ts';

/**
 * The training contract: the calls that a trainer, in any language, has to serve. The orchestrator runs the algorithm,
 * a trainer the computation; they exchange only references and small summaries. Each call has one JSON object as
 * input and one as output, without NaN or undefined, and with 64-bit numbers as strings. Both sides parse both by these
 * schemas. A message without a version is one of version 1, from the first release.
 */
export const CONTRACT_VERSION = 2;
/** Results of this release name their version; inputs that an earlier release scheduled do not. */
const version = z.literal(CONTRACT_VERSION);
const inputVersion = z.literal([1, CONTRACT_VERSION]).default(1);

/** Digests of a policy's parts (rule 11); null: the policy does not have the part. */
export const digestsSchema = z.strictObject({
  weights: sha256Schema,
  /** both moments of Adam together; null before the first step */
  moments: sha256Schema.nullable(),
  reference: sha256Schema.nullable(),
});
export type Digests = z.infer<typeof digestsSchema>;

/** Per tensor Σ mix64(index, bits), as `contracts/README.md` defines it: 16 hex digits. */
export const fingerprintSchema = z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 lower-case hex digits');

/**
 * Acquires a free trainer: it loads the checkpoint, checks its digests, and opens a task queue for this lease alone.
 * Served on the queue `train`. A second call with the same lease returns the same result.
 */
export const acquireInputSchema = z.strictObject({
  version: inputVersion,
  lease: leaseSchema.strict(),
  /** manifest of the checkpoint to load */
  checkpoint: referenceSchema,
  /** whether to hold a reference policy (beta > 0); a copy of the weights where the checkpoint has none */
  withReference: z.boolean(),
  /** the policy that the checkpoint holds; absent in version 1 */
  policy: sha256Schema.optional(),
});
export type AcquireInput = z.input<typeof acquireInputSchema>;
export const acquireResultSchema = z.strictObject({
  version,
  /** the task queue on which this trainer serves the lease */
  queue: z.string(),
  /** number of steps that the loaded policy has been trained in this stage */
  step: z.int().nonnegative(),
  policy: sha256Schema,
  digests: digestsSchema,
  /** of training and log-probabilities */
  numerics: numericsSchema,
  /** of sampling */
  samplerNumerics: numericsSchema,
  parameters: z.int().positive(),
});
export type AcquireResult = z.infer<typeof acquireResultSchema>;

/** Samples one shard (rule 8). */
export const sampleInputSchema = z.strictObject({
  version: inputVersion,
  lease: leaseSchema.strict(),
  request: referenceSchema,
  /** the trainer must reject the request where it holds another policy */
  policy: sha256Schema,
});
export type SampleInput = z.input<typeof sampleInputSchema>;
export const sampleResultSchema = z.strictObject({
  version,
  rollout: referenceSchema,
  completions: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  seconds: amount,
});
export type SampleResult = z.infer<typeof sampleResultSchema>;

/** Log-probabilities of one shard's completions under softmax(logits / temperature). */
export const logprobsInputSchema = z.strictObject({
  version: inputVersion,
  lease: leaseSchema.strict(),
  rollout: referenceSchema,
  temperature: amount.gt(0),
  of: z.array(z.enum(['old', 'reference'])).min(1),
  /** only of these groups of the shard; values of the others are 0. Absent: all */
  groups: z.array(z.int().nonnegative()).optional(),
  policy: sha256Schema,
});
export type LogprobsInput = z.input<typeof logprobsInputSchema>;
export const logprobsResultSchema = z.strictObject({
  version,
  logprobs: referenceSchema,
  seconds: amount,
});
export type LogprobsResult = z.infer<typeof logprobsResultSchema>;

/**
 * Scores sequences by a reward model. Served on the queue `score`, without a lease: the worker loads the model that the
 * manifest names, checks its digest, and may keep it for the next call.
 */
export const scoreInputSchema = z.strictObject({
  version: inputVersion,
  /** manifest of the reward model's checkpoint */
  model: referenceSchema,
  sequences: referenceSchema,
});
export type ScoreInput = z.input<typeof scoreInputSchema>;
export const scoreResultSchema = z.strictObject({
  version,
  /** record `model-scores` */
  scores: referenceSchema,
  seconds: amount,
});
export type ScoreResult = z.infer<typeof scoreResultSchema>;

/** Metrics of one optimiser step. */
export const stepMetricsSchema = z.strictObject({
  loss: figure,
  /** global norm before clipping */
  gradNorm: amount,
  /** mean entropy per token, in nats; null where the engine does not compute it */
  entropy: figure.nullable(),
  /** mean of k3 per token; null with beta 0 */
  kl: figure.nullable(),
  /** share of tokens whose ratio was clipped; null where there is no ratio */
  clipFraction: share.nullable(),
  /**
   * largest |log π_sampler − log π_training| of a token, both with the weights that sampled; null where other
   * weights train
   */
  samplerGap: amount.nullable(),
  tokensTrained: z.int().nonnegative(),
  /** of a reward model: share of the batch's pairs or labels that it predicts correctly; null for a policy */
  accuracy: share.nullable(),
});
export type StepMetrics = z.infer<typeof stepMetricsSchema>;

export const trainStepInputSchema = z.strictObject({
  version: inputVersion,
  lease: leaseSchema.strict(),
  batch: referenceSchema,
  /** number of steps the policy must have; where the batch is already trained, its result is returned again */
  expectedStep: z.int().nonnegative(),
  /** whether the log was written under other numerics; then digests may differ from the batch's */
  acrossSeam: z.boolean(),
});
export type TrainStepInput = z.input<typeof trainStepInputSchema>;
export const trainStepResultSchema = z.strictObject({
  version,
  step: z.int().positive(),
  /** after the step: policyAfter(policy before, batch), see `contracts/README.md` */
  policy: sha256Schema,
  digestBefore: sha256Schema.nullable(),
  /** null where the batch does not request it */
  digestAfter: sha256Schema.nullable(),
  /** where the batch requests a fingerprint and the trainer does not answer with a digest; else null */
  fingerprintAfter: fingerprintSchema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  metrics: stepMetricsSchema,
  numerics: numericsSchema,
  seconds: amount,
});
export type TrainStepResult = z.infer<typeof trainStepResultSchema>;

/**
 * Stages the complete state of a step, in memory or on a local disk; training goes on afterwards. One checkpoint is
 * under way at a time: another `beginCheckpoint` before its `finishCheckpoint` fails with `Contradiction`. Repeated
 * for the same step it returns the same result.
 */
export const beginCheckpointInputSchema = z.strictObject({
  version: inputVersion,
  lease: leaseSchema.strict(),
  expectedStep: z.int().nonnegative(),
});
export type BeginCheckpointInput = z.input<typeof beginCheckpointInputSchema>;
export const beginCheckpointResultSchema = z.strictObject({
  version,
  step: z.int().nonnegative(),
  policy: sha256Schema,
  bytes: z.int().nonnegative(),
  seconds: amount,
});
export type BeginCheckpointResult = z.infer<typeof beginCheckpointResultSchema>;

/** Writes the staged state as a Hugging Face folder while steps go on: objects first, the manifest last (rule 4). */
export const finishCheckpointInputSchema = z.strictObject({
  version: inputVersion,
  lease: leaseSchema.strict(),
  /** the staged step */
  step: z.int().nonnegative(),
});
export type FinishCheckpointInput = z.input<typeof finishCheckpointInputSchema>;
export const checkpointResultSchema = z.strictObject({
  version,
  manifest: referenceSchema,
  step: z.int().nonnegative(),
  policy: sha256Schema,
  digests: digestsSchema,
  bytes: z.int().nonnegative(),
  seconds: amount,
});
export type CheckpointResult = z.infer<typeof checkpointResultSchema>;

/** Frees the policy's memory, after a checkpoint under way, and the trainer for another lease. */
export const releaseInputSchema = z.strictObject({ version: inputVersion, lease: leaseSchema.strict() });
export type ReleaseInput = z.input<typeof releaseInputSchema>;
export const releaseResultSchema = z.strictObject({ version });
export type ReleaseResult = z.infer<typeof releaseResultSchema>;

/**
 * The calls as activities: `acquire` on the queue `train`, `score` on the queue `score`, the others on the queue that
 * `acquire` returned.
 */
export const trainingCalls = {
  acquire: { input: acquireInputSchema, result: acquireResultSchema },
  sample: { input: sampleInputSchema, result: sampleResultSchema },
  logprobs: { input: logprobsInputSchema, result: logprobsResultSchema },
  score: { input: scoreInputSchema, result: scoreResultSchema },
  trainStep: { input: trainStepInputSchema, result: trainStepResultSchema },
  beginCheckpoint: { input: beginCheckpointInputSchema, result: beginCheckpointResultSchema },
  finishCheckpoint: { input: finishCheckpointInputSchema, result: checkpointResultSchema },
  release: { input: releaseInputSchema, result: releaseResultSchema },
} as const;
export type TrainingCall = keyof typeof trainingCalls;

/** The task queue of each call; null: the one that `acquire` returned for the lease. */
export const callQueues = {
  acquire: 'train',
  sample: null,
  logprobs: null,
  score: 'score',
  trainStep: null,
  beginCheckpoint: null,
  finishCheckpoint: null,
  release: null,
} as const satisfies Record<TrainingCall, string | null>;

export type TrainingActivities = {
  [Name in TrainingCall]: (
    input: z.input<(typeof trainingCalls)[Name]['input']>,
  ) => Promise<z.infer<(typeof trainingCalls)[Name]['result']>>;
};

/** The answer of a stage's workflow to the query `lease`: its current lease; null: it has none. */
export const leaseAnswerSchema = leaseSchema.strict().nullable();

/** Phases of a call, for heartbeats. */
export const PHASES = [
  'loading',
  'sampling',
  'log-probabilities',
  'scoring',
  'training',
  'checking',
  'staging',
  'writing',
] as const;

/**
 * The detail of every heartbeat. `done` grows while the call makes progress; a call whose heartbeats show none for
 * long is lost (`algorithm/run/progress-limit.ts`).
 */
export const heartbeatSchema = z.strictObject({
  version,
  phase: z.enum(PHASES),
  /** steps of the policy that is held; null while it is loaded */
  step: z.int().nonnegative().nullable(),
  /** units of the phase that are done, such as completions, micro-batches or tensors */
  done: z.int().nonnegative(),
  /** of all units; null: not known */
  of: z.int().nonnegative().nullable(),
  /** tokens computed by this call */
  tokens: z.int().nonnegative(),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** The manifest of a checkpoint: it is written last, and lists all other objects. */
export const manifestSchema = z.strictObject({
  kind: z.literal('checkpoint'),
  /** absent: version 1 */
  version: z.literal(CONTRACT_VERSION).optional(),
  /** null for an imported model */
  lease: leaseSchema.strict().nullable(),
  step: z.int().nonnegative(),
  /** the policy that it holds; absent in version 1 and in an imported model */
  policy: sha256Schema.optional(),
  digests: digestsSchema,
  numerics: numericsSchema.nullable(),
  /** objects by file name in the Hugging Face folder: `model.safetensors`, `config.json`, `tokenizer.json`, … */
  files: z.record(fileNameSchema, referenceSchema),
  /** Adam's moments (`exp_avg.NAME`, `exp_avg_sq.NAME`); null before the first step */
  moments: referenceSchema.nullable(),
  /**
   * the reference policy's weights; their key contains the digest, so checkpoints between two refreshes share them
   */
  reference: referenceSchema.nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;
