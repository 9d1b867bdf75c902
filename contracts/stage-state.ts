import { z } from 'zod';
import { cursorSchema, type Shard } from './records/schemas.ts';
import { type Reference, referenceSchema } from './reference.ts';
import type { Digests } from './training.ts';

/**
 * Statuses in rows, documents and the UI. `parked`: a failure that a retry cannot resolve; an operator decides
 * (rule 13). `complete`: all planned steps are done (rule 14).
 */
export const stageStatusSchema = z.enum(['pending', 'running', 'paused', 'parked', 'complete', 'aborted']);
export type StageStatus = z.infer<typeof stageStatusSchema>;

export const runStatusSchema = z.enum(['running', 'paused', 'parked', 'complete', 'aborted']);
export type RunStatus = z.infer<typeof runStatusSchema>;

const rolloutPosition = {
  /** the branch that sampled it; a rewound stage may continue with the rollout of its parent branch */
  branch: z.int().nonnegative(),
  /** the first step that trains on it */
  firstStep: z.int().positive(),
  /** tokens sampled by all its calls */
  tokensSampled: z.int().nonnegative(),
  cursorBefore: cursorSchema,
  cursorAfter: cursorSchema,
};

/** A rollout of version 1, in one piece. */
const wholeRolloutSchema = z.strictObject({
  ...rolloutPosition,
  request: referenceSchema,
  rollout: referenceSchema,
  scores: referenceSchema,
  logprobs: referenceSchema.nullable(),
});
export type WholeRollout = z.infer<typeof wholeRolloutSchema>;

/** A rollout in shards: its index names them all. */
const shardedRolloutSchema = z.strictObject({ ...rolloutPosition, index: referenceSchema });

/** The rollout that a stage trains on: what its steps need, and the positions in the prompt order. */
export const currentRolloutSchema = z.union([shardedRolloutSchema, wholeRolloutSchema]);
export type CurrentRollout = z.infer<typeof currentRolloutSchema>;

/** A rollout that is sampled and scored: its first batch writes its index. */
export interface UnindexedRollout extends Omit<z.infer<typeof shardedRolloutSchema>, 'index'> {
  /** `keep`: the groups of the shard that are trained on; null: all */
  shards: (Shard & { keep: number[] | null })[];
  /** maximum number of groups */
  groups: number;
  /** the policy that sampled all shards */
  policy: string;
}

/** A checkpoint as in its committed row. */
export interface CommittedCheckpoint {
  step: number;
  manifest: Reference;
  digests: Digests;
}

/** Cost of samples: tokens, seconds of the sampling trainer, and seconds of the scoring workers. */
export interface SamplingCost {
  tokensSampled: number;
  sampling: number;
  scoring: number;
}
