import { z } from 'zod';

/**
 * What determines the last bits of a computed number (rule 12). Samplers and trainers send it with every result. A
 * step under other numerics than the step before it is a numerics change.
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
