import { z } from 'zod';
import { nameSchema } from './reference.ts';

/** A stage of a run, in every row, key and workflow id. */
const stageKeySchema = z.object({ run: nameSchema, stage: z.string() });
export type StageKey = z.infer<typeof stageKeySchema>;

/** A line of steps within a stage; branch 0 is the first (see "Words"). */
const branchKeySchema = stageKeySchema.extend({ branch: z.int().nonnegative() });
export type BranchKey = z.infer<typeof branchKeySchema>;

/** What a batch, a train step and a checkpoint are identified by (rule 5). */
export const stepKeySchema = branchKeySchema.extend({ step: z.int().nonnegative() });
export type StepKey = z.infer<typeof stepKeySchema>;

/** Who writes: the fencing number of the trainer's lease. It guards writes and is no part of identity. */
export const leaseSchema = branchKeySchema.extend({ term: z.int().positive() });
export type Lease = z.infer<typeof leaseSchema>;
