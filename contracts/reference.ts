import { z } from 'zod';

/** SHA-256 in lower-case hex. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits (SHA-256)');

/**
 * Where an object lies and what its bytes are. References and small summaries are all that passes
 * through Temporal; whoever reads the object checks `sha256` and `bytes` before believing it.
 */
export const referenceSchema = z.strictObject({
  /** `s3://bucket/key` */
  uri: z.string().regex(/^s3:\/\/[^/]+\/.+$/, 'expected s3://bucket/key'),
  sha256: sha256Schema,
  bytes: z.int().nonnegative(),
});
export type Reference = z.infer<typeof referenceSchema>;

/** A 64-bit seed crosses JSON as a decimal string. */
export const seedSchema = z.string().regex(/^\d{1,20}$/, 'expected a 64-bit seed as a decimal string');

/** Names of runs and stages become parts of workflow ids and object keys. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected a name of lower-case letters, digits and dashes, at most 63');

/** A file's own name: no folder before it, so that whoever joins it to a folder stays within that folder. */
export const fileNameSchema = z
  .string()
  .regex(/^(?!\.{1,2}$)[^/\\\0]{1,255}$/, 'expected the plain name of a file, without a folder');
