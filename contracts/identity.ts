import { z } from 'zod';
import { nameSchema } from './reference.ts';

/** Identifies a stage of a run in rows, object keys and workflow ids. */
const stageKeySchema = z.object({ run: nameSchema, stage: z.string() });
export type StageKey = z.infer<typeof stageKeySchema>;

/** A branch: a sequence of steps within a stage, numbered from 0. A rewind starts a new one. */
const branchKeySchema = stageKeySchema.extend({ branch: z.int().nonnegative() });
export type BranchKey = z.infer<typeof branchKeySchema>;

/** Identifies a batch, a train step or a checkpoint (rule 5). */
export const stepKeySchema = branchKeySchema.extend({ step: z.int().nonnegative() });
export type StepKey = z.infer<typeof stepKeySchema>;

/** A trainer's lease. `term` is a fencing number: it guards writes, and is not part of any identity. */
export const leaseSchema = branchKeySchema.extend({ term: z.int().positive() });
export type Lease = z.infer<typeof leaseSchema>;
