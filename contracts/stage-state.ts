import { z } from 'zod';
import { cursorSchema } from './records.ts';
import { type Reference, referenceSchema } from './reference.ts';
import type { Digests } from './training.ts';

/**
 * Statuses as rows, documents and the UI say them. `parked`: something a retry cannot mend; an operator decides
 * (rule 13). `complete`: the step reached is the step planned (rule 14).
 */
export const stageStatusSchema = z.enum(['pending', 'running', 'paused', 'parked', 'complete', 'aborted']);
export type StageStatus = z.infer<typeof stageStatusSchema>;

export const runStatusSchema = z.enum(['running', 'paused', 'parked', 'complete', 'aborted']);
export type RunStatus = z.infer<typeof runStatusSchema>;

/** A rollout under training: what the steps cut from it need, and where the walk over the prompts stands. */
const rolloutInHandSchema = z.strictObject({
  /** the branch that sampled it: a rewound stage may go on with its parent's rollout */
  branch: z.int().nonnegative(),
  /** the first step that trains on it */
  firstStep: z.int().positive(),
  request: referenceSchema,
  rollout: referenceSchema,
  scores: referenceSchema,
  logprobs: referenceSchema.nullable(),
  /** by all calls that it took */
  tokensSampled: z.int().nonnegative(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
});
export type CurrentRollout = z.infer<typeof rolloutInHandSchema>;

/** A checkpoint as its committed row knows it. */
export interface CommittedCheckpoint {
  step: number;
  manifest: Reference;
  digests: Digests;
}

/** What samples of a policy took: tokens, seconds of the trainer that sampled, of the workers that scored. */
export interface SamplingCost {
  tokensSampled: number;
  sampling: number;
  scoring: number;
}
