import { z } from 'zod';
import { figure, steps, stepsOrNone } from './bounds.ts';
import { changeableFields } from './options.ts';

/** What an operator says to a stage: the arguments of its updates, from `r1` and from the Temporal UI alike. */

/** Who says it, for people. */
const author = z.string().min(1).max(100);

/** What comes with `pause`, `retry`, `cancel` and `abort`. */
export const operatorRequestSchema = z.strictObject({ author: author.optional() });
export type OperatorRequest = z.infer<typeof operatorRequestSchema>;

/** A committed step, `latest` for the last checkpoint, or a committed checkpoint's `s3://…/manifest.json`. */
const rewindTargetSchema = z.union([stepsOrNone, z.literal('latest'), z.string().regex(/^s3:\/\/\S+$/)], {
  error: 'expected a committed step, latest, or the s3://… of a committed checkpoint of this stage',
});
export type RewindTarget = z.infer<typeof rewindTargetSchema>;

/** What comes with `resume`; without `from` the stage goes on from where its rows end. */
export const resumeRequestSchema = z.strictObject({
  from: rewindTargetSchema.optional(),
  author: author.optional(),
});
export type ResumeRequest = z.infer<typeof resumeRequestSchema>;

/** What `resume` answers: the branch on which the stage goes on and the step after which, where it was rewound. */
export interface Rewound {
  branch: number;
  step: number;
}

/** What comes with `set` (rule 7); without `atStep` the changes hold from the first step that is not logged yet. */
export const setRequestSchema = z.strictObject({
  values: z
    .partialRecord(z.enum(changeableFields), figure)
    .refine((values) => Object.keys(values).length > 0, 'expected at least one field'),
  atStep: steps.optional(),
  author: author.optional(),
});
export type SetRequest = z.infer<typeof setRequestSchema>;

/** What an operator wants of a stage under way, at the next step's boundary. */
export interface Wish {
  kind: 'pause' | 'end';
  /** who said so; null where nobody was named */
  author: string | null;
}
