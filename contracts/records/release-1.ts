/**
 * Records of version 1, as the first release stored them: no field `version`, texts and lists in the record's JSON, a
 * rollout in one piece. They are read for as long as their runs live, and never written. Field names are those of
 * version 2 where the meaning is the same; see `schemas.ts` and `tensors.ts` for both.
 */
import { z } from 'zod';
import { amount, probability } from '../bounds.ts';
import { stepKeySchema } from '../identity.ts';
import { numericsSchema } from '../numerics.ts';
import { samplingSchema } from '../options.ts';
import { referenceSchema, seedSchema, sha256Schema } from '../reference.ts';
import {
  cursorSchema,
  drawnPromptSchema,
  dropSchema,
  numbersInForceSchema,
  supervisedNumbersSchema,
  supervisedObjectiveSchema,
  verdictSchema,
} from './schemas.ts';

/** Tensors: `promptTokens` I32 [T], `promptLengths` I32 [P]. */
export const sampleRequest1Schema = z.strictObject({
  kind: z.literal('sample-request'),
  prompts: z.array(drawnPromptSchema).min(1),
  numGenerations: z.int().positive(),
  /** one per sequence, [P × numGenerations] */
  seeds: z.array(seedSchema),
  sampling: samplingSchema,
  model: referenceSchema.nullable(),
  eosTokenIds: z.array(z.int().nonnegative()).min(1),
});

/** Tensors: `completionTokens` I32 [T], `completionLengths` I32 [N], `logprobs` F32 [T], `truncated` I32 [N]. */
export const rollout1Schema = z.strictObject({
  kind: z.literal('rollout'),
  request: referenceSchema,
  policyDigest: sha256Schema,
  numerics: numericsSchema,
});

/** No tensors. */
export const scores1Schema = z.strictObject({
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
export type Scores1 = z.infer<typeof scores1Schema>;

/** Tensors: `old` F32 [T] and `reference` F32 [T], each only where requested. */
export const logprobs1Schema = z.strictObject({
  kind: z.literal('logprobs'),
  rollout: referenceSchema,
  temperature: amount.gt(0),
  policyDigest: sha256Schema,
  referenceDigest: sha256Schema.nullable(),
  numerics: numericsSchema,
});

/** Tensors as in version 2, without those of the drops. */
export const batch1Schema = z.strictObject({
  kind: z.literal('batch'),
  key: stepKeySchema.strict(),
  rollout: referenceSchema,
  scores: referenceSchema,
  logprobs: referenceSchema.nullable(),
  numbers: numbersInForceSchema,
  old: z.enum(['own', 'logged']),
  policyDigest: sha256Schema,
  digestBefore: sha256Schema.nullable(),
  referenceDigest: sha256Schema.nullable(),
  refreshReference: z.strictObject({ alpha: probability }).nullable(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
  drops: z.array(dropSchema),
  digestAfter: z.boolean(),
});
export type Batch1 = z.infer<typeof batch1Schema>;

/** Tensors as in version 2. */
export const supervisedBatch1Schema = z.strictObject({
  kind: z.literal('supervised-batch'),
  key: stepKeySchema.strict(),
  objective: supervisedObjectiveSchema,
  data: sha256Schema,
  packing: z.boolean(),
  numbers: supervisedNumbersSchema,
  digestBefore: sha256Schema.nullable(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
  digestAfter: z.boolean(),
});
export type SupervisedBatch1 = z.infer<typeof supervisedBatch1Schema>;
