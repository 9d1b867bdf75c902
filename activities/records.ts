import { z } from 'zod';
import type { VerifierVersions } from '../contracts/activities.ts';
import {
  batchSchema,
  logprobsSchema,
  rolloutSchema,
  type ScoresRecord,
  sampleRequestSchema,
  scoresSchema,
  supervisedBatchSchema,
} from '../contracts/records.ts';
import type { Reference } from '../contracts/reference.ts';
import type { ObjectStore } from '../stores/objects/objects.ts';
import { type DecodedRecord, decodeRecord } from '../stores/objects/records.ts';

/** Fetches a record and checks it: its checksum, then its schema. */
const reader =
  <Schema extends z.ZodType>(schema: Schema) =>
  async (objects: ObjectStore, reference: Reference): Promise<DecodedRecord<z.infer<Schema>>> =>
    decodeRecord(schema, await objects.get(reference), reference.uri);

export const readSampleRequest = reader(sampleRequestSchema);
export const readRollout = reader(rolloutSchema);
export const readScores = reader(scoresSchema);
export const readLogprobs = reader(logprobsSchema);
/** A step's log record, of either kind. */
export const readLoggedBatch = reader(z.discriminatedUnion('kind', [batchSchema, supervisedBatchSchema]));

/** Reward → version of the verifier that judged. */
export const versionsOf = ({ rewards }: ScoresRecord): VerifierVersions =>
  Object.fromEntries(rewards.map(({ name, version }) => [name, version]));
