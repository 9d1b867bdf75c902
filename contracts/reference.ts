import { z } from 'zod';

/** SHA-256 in lower-case hex. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits (SHA-256)');

/**
 * Location and hash of an object. Only references and small summaries pass through Temporal; a reader of the object
 * checks `sha256` and `bytes`.
 */
export const referenceSchema = z.strictObject({
  /** `s3://bucket/key` */
  uri: z.string().regex(/^s3:\/\/[^/]+\/.+$/, 'expected s3://bucket/key'),
  sha256: sha256Schema,
  bytes: z.int().nonnegative(),
});
export type Reference = z.infer<typeof referenceSchema>;

/** A 64-bit seed, in JSON a decimal string. */
export const seedSchema = z.string().regex(/^\d{1,20}$/, 'expected a 64-bit seed as a decimal string');

/** A name of a run or a stage; part of workflow ids and object keys. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected a name of lower-case letters, digits and dashes, at most 63');

/** A file name without a folder: joined to a folder, it stays within that folder. */
export const fileNameSchema = z
  .string()
  .regex(/^(?!\.{1,2}$)[^/\\\0]{1,255}$/, 'expected the plain name of a file, without a folder');
