import { z } from 'zod';
import { amount, figure, share } from './bounds.ts';
import { leaseSchema } from './identity.ts';
import { numericsSchema } from './numerics.ts';
import { fileNameSchema, referenceSchema, sha256Schema } from './reference.ts';

/**
 * The training contract: the calls that a trainer, in any language, has to serve. The orchestrator runs the algorithm,
 * a trainer the computation; they exchange only references and small summaries. Each call has one JSON object as
 * input and one as output, without NaN or undefined, and with 64-bit numbers as strings.
 */

/** Digests of a policy's parts (rule 11); null: the policy does not have the part. */
export const digestsSchema = z.strictObject({
  weights: sha256Schema,
  /** both moments of Adam together; null before the first step */
  moments: sha256Schema.nullable(),
  reference: sha256Schema.nullable(),
});
export type Digests = z.infer<typeof digestsSchema>;

/**
 * Acquires a free trainer: it loads the checkpoint, checks its digests, and opens a task queue for this lease alone.
 * Served on the queue `train`.
 */
export const acquireInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  /** manifest of the checkpoint to load */
  checkpoint: referenceSchema,
  /** whether to hold a reference policy (beta > 0); a copy of the weights where the checkpoint has none */
  withReference: z.boolean(),
});
export type AcquireInput = z.infer<typeof acquireInputSchema>;
export const acquireResultSchema = z.strictObject({
  /** the task queue on which this trainer serves the lease */
  queue: z.string(),
  /** number of steps that the loaded policy has been trained in this stage */
  step: z.int().nonnegative(),
  digests: digestsSchema,
  numerics: numericsSchema,
  parameters: z.int().positive(),
});
export type AcquireResult = z.infer<typeof acquireResultSchema>;

export const sampleInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  request: referenceSchema,
  /** the trainer must reject the request where its policy has another digest */
  expectedDigest: sha256Schema,
});
export type SampleInput = z.infer<typeof sampleInputSchema>;
export const sampleResultSchema = z.strictObject({
  rollout: referenceSchema,
  completions: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  seconds: amount,
});
export type SampleResult = z.infer<typeof sampleResultSchema>;

export const logprobsInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  rollout: referenceSchema,
  temperature: amount.gt(0),
  of: z.array(z.enum(['old', 'reference'])).min(1),
  expectedDigest: sha256Schema,
});
export type LogprobsInput = z.infer<typeof logprobsInputSchema>;
export const logprobsResultSchema = z.strictObject({
  logprobs: referenceSchema,
  seconds: amount,
});
export type LogprobsResult = z.infer<typeof logprobsResultSchema>;

/** Metrics of one optimiser step. */
const stepMetricsSchema = z.strictObject({
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
  lease: leaseSchema.strict(),
  batch: referenceSchema,
  /** number of steps the policy must have; where the batch is already trained, its result is returned again */
  expectedStep: z.int().nonnegative(),
  /** whether the log was written under other numerics; then digests may differ from the batch's */
  acrossSeam: z.boolean(),
});
export type TrainStepInput = z.infer<typeof trainStepInputSchema>;
export const trainStepResultSchema = z.strictObject({
  step: z.int().positive(),
  digestBefore: sha256Schema.nullable(),
  /** null where the batch does not request it */
  digestAfter: sha256Schema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  metrics: stepMetricsSchema,
  numerics: numericsSchema,
  seconds: amount,
});
export type TrainStepResult = z.infer<typeof trainStepResultSchema>;

/** Writes the complete state as a Hugging Face folder: objects first, the manifest last (rule 4). */
export const checkpointInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  expectedStep: z.int().nonnegative(),
});
export type CheckpointInput = z.infer<typeof checkpointInputSchema>;
export const checkpointResultSchema = z.strictObject({
  manifest: referenceSchema,
  step: z.int().nonnegative(),
  digests: digestsSchema,
  bytes: z.int().nonnegative(),
  seconds: amount,
});
export type CheckpointResult = z.infer<typeof checkpointResultSchema>;

export const releaseInputSchema = z.strictObject({ lease: leaseSchema.strict() });
export type ReleaseInput = z.infer<typeof releaseInputSchema>;

/** The calls as activities: `acquire` on the queue `train`, the others on the queue that `acquire` returned. */
export interface TrainingActivities {
  acquire(input: AcquireInput): Promise<AcquireResult>;
  sample(input: SampleInput): Promise<SampleResult>;
  logprobs(input: LogprobsInput): Promise<LogprobsResult>;
  trainStep(input: TrainStepInput): Promise<TrainStepResult>;
  checkpoint(input: CheckpointInput): Promise<CheckpointResult>;
  release(input: ReleaseInput): Promise<void>;
}

/** The manifest of a checkpoint: it is written last, and lists all other objects. */
export const manifestSchema = z.strictObject({
  kind: z.literal('checkpoint'),
  /** null for an imported model */
  lease: leaseSchema.strict().nullable(),
  step: z.int().nonnegative(),
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
