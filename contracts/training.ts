import { z } from 'zod';
import { amount, figure, share } from './bounds.ts';
import { leaseSchema } from './identity.ts';
import { numericsSchema } from './numerics.ts';
import { fileNameSchema, referenceSchema, sha256Schema } from './reference.ts';

/**
 * The training contract: the handful of calls that a worker of any language serves. The orchestrator owns
 * the algorithm, a worker owns compute; all that passes is references and small summaries. One JSON object
 * in, one out; no NaN, no undefined, 64-bit numbers as strings.
 */

/** Digests of a policy's parts (rule 11); null: the part is not there. */
const digestsSchema = z.strictObject({
  weights: sha256Schema,
  /** both moments of Adam together; null before the first step */
  moments: sha256Schema.nullable(),
  reference: sha256Schema.nullable(),
});
export type Digests = z.infer<typeof digestsSchema>;

/**
 * Takes a free trainer: loads the checkpoint, checks its digests, and opens a queue of its own that serves
 * this lease alone. Served on the queue `train`.
 */
export const acquireInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  /** manifest of the checkpoint to load */
  checkpoint: referenceSchema,
  /** whether a reference policy is to be held (beta > 0); taken from the weights where the checkpoint has none */
  withReference: z.boolean(),
});
export type AcquireInput = z.infer<typeof acquireInputSchema>;
export const acquireResultSchema = z.strictObject({
  /** the task queue on which this trainer serves the lease */
  queue: z.string(),
  /** steps the loaded policy has been trained in this stage */
  step: z.int().nonnegative(),
  digests: digestsSchema,
  numerics: numericsSchema,
  parameters: z.int().positive(),
});
export type AcquireResult = z.infer<typeof acquireResultSchema>;

export const sampleInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  request: referenceSchema,
  /** refuse to sample with any other policy */
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

/** What one optimiser step tells of itself. */
const stepMetricsSchema = z.strictObject({
  loss: figure,
  /** global norm before clipping */
  gradNorm: amount,
  /** mean entropy a token, nats; null where the engine does not compute it */
  entropy: figure.nullable(),
  /** mean of k3 a token; null with beta 0 */
  kl: figure.nullable(),
  /** share of tokens whose ratio was clipped; null where there is no ratio */
  clipFraction: share.nullable(),
  /** largest |log π_sampler − log π_training| of a token under the policy that sampled; null where another policy trains */
  samplerGap: amount.nullable(),
  tokensTrained: z.int().nonnegative(),
  /** of a reward model: share of the batch's pairs ranked, or labels told, rightly; null for a policy */
  accuracy: share.nullable(),
});
export type StepMetrics = z.infer<typeof stepMetricsSchema>;

export const trainStepInputSchema = z.strictObject({
  lease: leaseSchema.strict(),
  batch: referenceSchema,
  /** steps that the policy must have been trained before; if the batch is already trained, its result is returned again */
  expectedStep: z.int().nonnegative(),
  /** the log was written under other numerics: digests that differ from the batch's are the seam, no error */
  acrossSeam: z.boolean(),
});
export type TrainStepInput = z.infer<typeof trainStepInputSchema>;
export const trainStepResultSchema = z.strictObject({
  step: z.int().positive(),
  digestBefore: sha256Schema.nullable(),
  /** null where the batch did not ask for it */
  digestAfter: sha256Schema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  metrics: stepMetricsSchema,
  numerics: numericsSchema,
  seconds: amount,
});
export type TrainStepResult = z.infer<typeof trainStepResultSchema>;

/** Writes the whole state as a Hugging Face folder: objects first, the manifest last (rule 4). */
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

/** The calls as activities: `acquire` on the queue `train`, the others on the queue that it returned. */
export interface TrainingActivities {
  acquire(input: AcquireInput): Promise<AcquireResult>;
  sample(input: SampleInput): Promise<SampleResult>;
  logprobs(input: LogprobsInput): Promise<LogprobsResult>;
  trainStep(input: TrainStepInput): Promise<TrainStepResult>;
  checkpoint(input: CheckpointInput): Promise<CheckpointResult>;
  release(input: ReleaseInput): Promise<void>;
}

/** The manifest of a checkpoint: the last object written, and the list of all others. */
export const manifestSchema = z.strictObject({
  kind: z.literal('checkpoint'),
  /** null for an imported model, which no stage made */
  lease: leaseSchema.strict().nullable(),
  step: z.int().nonnegative(),
  digests: digestsSchema,
  numerics: numericsSchema.nullable(),
  /** name within the Hugging Face folder → object; `model.safetensors`, `config.json`, `tokenizer.json`, … */
  files: z.record(fileNameSchema, referenceSchema),
  /** Adam's moments (`exp_avg.NAME`, `exp_avg_sq.NAME`); null before the first step */
  moments: referenceSchema.nullable(),
  /** the reference policy's weights, under a key of their digest, shared by the checkpoints between two refreshes */
  reference: referenceSchema.nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;
