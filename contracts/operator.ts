import { z } from 'zod';
import { figure, steps, stepsOrNone } from './bounds.ts';
import { changeableFields } from './options.ts';

/** Messages of an operator to a stage: the arguments of its workflow updates, from `r1` or the Temporal UI. */

/** Name of the sender, for display. */
const author = z.string().min(1).max(100);

/** Argument of `pause`, `retry`, `cancel` and `abort`. */
export const operatorRequestSchema = z.strictObject({ author: author.optional() });
export type OperatorRequest = z.infer<typeof operatorRequestSchema>;

/** A committed step, `latest` for the last checkpoint, or a committed checkpoint's `s3://…/manifest.json`. */
const rewindTargetSchema = z.union([stepsOrNone, z.literal('latest'), z.string().regex(/^s3:\/\/\S+$/)], {
  error: 'expected a committed step, latest, or the s3://… of a committed checkpoint of this stage',
});
export type RewindTarget = z.infer<typeof rewindTargetSchema>;

/** Argument of `resume`; without `from` the stage continues after its last committed row. */
export const resumeRequestSchema = z.strictObject({
  from: rewindTargetSchema.optional(),
  author: author.optional(),
});
export type ResumeRequest = z.infer<typeof resumeRequestSchema>;

/** Result of a rewind: the new branch, and the step after which it continues. */
export interface Rewound {
  branch: number;
  step: number;
}

/** Argument of `set` (rule 7); without `atStep` the changes apply from the first step that is not logged yet. */
export const setRequestSchema = z.strictObject({
  values: z
    .partialRecord(z.enum(changeableFields), figure)
    .refine((values) => Object.keys(values).length > 0, 'expected at least one field'),
  atStep: steps.optional(),
  author: author.optional(),
});
export type SetRequest = z.infer<typeof setRequestSchema>;

/** An operator's request to a running stage, for the end of the current step. */
export interface Wish {
  kind: 'pause' | 'end';
  /** name of the sender; null where none was given */
  author: string | null;
}
