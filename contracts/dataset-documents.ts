import { z } from 'zod';
import { datasetRuleSchema, rejectionReasonSchema, sampleVerdictSchema } from './datasets.ts';
import { sha256Schema } from './reference.ts';

/** The `--json` documents of samples and data sets. */

const rejectedSchema = z
  .partialRecord(rejectionReasonSchema, z.int())
  .describe('number of rejected samples by reason');

const datasetSummary = {
  name: z.string(),
  version: z.int(),
  digest: sha256Schema,
  frozen: z.boolean().describe('whether a stage has trained on it; then it cannot change'),
  rows: z.int(),
};

export const datasetsDocument = z.array(z.object({ ...datasetSummary, createdAt: z.iso.datetime() }));
export type DatasetsDocument = z.infer<typeof datasetsDocument>;

export const datasetDocument = z.object({
  ...datasetSummary,
  rejected: rejectedSchema,
  policy: sha256Schema.nullable().describe('digest of the weights that sampled; null: none, or several'),
  rule: datasetRuleSchema,
});
export type DatasetDocument = z.infer<typeof datasetDocument>;

export const datasetDiffDocument = z.object({
  first: z.object(datasetSummary),
  second: z.object(datasetSummary),
  common: z.int().describe('rows with the same prompt and text'),
  onlyFirst: z.int(),
  onlySecond: z.int(),
  rule: z
    .array(z.object({ field: z.string(), first: z.unknown(), second: z.unknown() }))
    .describe('fields of the rule that differ'),
});
export type DatasetDiffDocument = z.infer<typeof datasetDiffDocument>;

const sampleDocument = z.object({
  stage: z.string().describe('stage that the sample belongs to'),
  branch: z.int(),
  part: z.int(),
  sequence: z.int().describe('index in the rollout'),
  prompt: sha256Schema,
  problem: z.string(),
  domain: z.string(),
  from: z.object({
    stage: z.string(),
    checkpoint: z.string().describe('URI of the manifest'),
    policy: sha256Schema.describe('digest of the weights that sampled'),
  }),
  seed: z.string(),
  tokens: z.int(),
  truncated: z.boolean(),
  rewards: z.record(z.string(), sampleVerdictSchema),
  reason: rejectionReasonSchema.nullable().describe('why it was rejected; null: accepted'),
  at: z.object({
    uri: z.string(),
    offset: z.int(),
    length: z.int(),
    sha256: sha256Schema,
  }),
  text: z.string().describe('the stored text; rewritten by the template where it was accepted'),
});
export type SampleDocument = z.infer<typeof sampleDocument>;

export const samplesDocument = z.array(sampleDocument);
