import { z } from 'zod';

/**
 * What decides the last bits of a number (rule 12). Written by samplers and trainers with every result,
 * read when a step follows one made under other numerics: that place is a seam.
 */
export const numericsSchema = z.strictObject({
  /** `onnxruntime` or `torch` */
  engine: z.string(),
  version: z.string(),
  /** `cpu`, `cuda:H100`, … */
  device: z.string(),
  /** `avx512`, `avx2`, `neon`, …: the widest the engine may use on this device */
  instructionSet: z.string(),
  threads: z.int().positive(),
  /** whether the same inputs give the same bits under these numerics */
  deterministic: z.boolean(),
});
export type Numerics = z.infer<typeof numericsSchema>;
