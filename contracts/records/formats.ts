/** Every kind of record, and the schema of each version that this release reads. */
import type { z } from 'zod';
import {
  batch1Schema,
  logprobs1Schema,
  rollout1Schema,
  sampleRequest1Schema,
  scores1Schema,
  supervisedBatch1Schema,
} from './release-1.ts';
import {
  batchSchema,
  logprobsSchema,
  modelScoresSchema,
  rolloutIndexSchema,
  rolloutSchema,
  sampleRequestSchema,
  scoresSchema,
  sequencesSchema,
  supervisedBatchSchema,
  textsSchema,
} from './schemas.ts';
import type { RecordKind } from './tensors.ts';

export interface RecordFormat {
  readonly 1?: z.ZodType;
  readonly 2: z.ZodType;
}

/** Schemas by version. Kinds that version 1 did not have are of version 2 alone. */
export const recordFormats = {
  'sample-request': { 1: sampleRequest1Schema, 2: sampleRequestSchema },
  rollout: { 1: rollout1Schema, 2: rolloutSchema },
  scores: { 1: scores1Schema, 2: scoresSchema },
  texts: { 2: textsSchema },
  logprobs: { 1: logprobs1Schema, 2: logprobsSchema },
  'rollout-index': { 2: rolloutIndexSchema },
  batch: { 1: batch1Schema, 2: batchSchema },
  'supervised-batch': { 1: supervisedBatch1Schema, 2: supervisedBatchSchema },
  sequences: { 2: sequencesSchema },
  'model-scores': { 2: modelScoresSchema },
} as const satisfies Record<RecordKind, RecordFormat>;
