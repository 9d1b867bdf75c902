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
  /** dtype of activations: `float32`, `bfloat16`; absent in version 1: `float32` */
  computeDtype: z.string().optional(),
  /** version of the layouts and kernels that decide the order of sums, as the worker names it; absent in version 1 */
  kernels: z.string().optional(),
  /** processes that a sum is taken over; absent where the order of sums does not depend on it */
  worldSize: z.int().positive().optional(),
  /** groups that are sampled side by side; of samplers only */
  shardSize: z.int().positive().optional(),
  /** whether the same inputs give the same bits under these numerics */
  deterministic: z.boolean(),
});
export type Numerics = z.infer<typeof numericsSchema>;
