import { z } from 'zod';
import { count, figure } from './bounds.ts';
import { sampleVerdictSchema } from './datasets.ts';
import { sha256Schema } from './reference.ts';

/**
 * `right`: full marks of the reward `accuracy`; `error`: no verdict; `unjudged`: this reward does not apply to the
 * prompt.
 */
const completionVerdictSchema = z.enum(['right', 'wrong', 'error', 'unjudged']);
export type CompletionVerdict = z.infer<typeof completionVerdictSchema>;

/** One completion with all that explains its verdict. */
export const completionDocument = z.object({
  hash: sha256Schema.describe('hash of the problem, its answer and its domain'),
  problem: z.string().describe('the problem before the chat template'),
  prompt: z.string().describe('the prompt as the model reads it, with special tokens'),
  completion: z.string().describe('the completion as judged, without special tokens'),
  extracted: z.string().nullable().describe('the answer found in the completion; null: none'),
  truth: z.string().describe('the answer in the data set; empty where an entry contains the ground truth'),
  verdict: completionVerdictSchema,
  rewards: z
    .record(z.string(), sampleVerdictSchema.nullable())
    .describe('verdict of each reward; null: it does not apply to this domain'),
  domain: z.string(),
  sample: count.describe('index among the prompt’s samples'),
  seed: z.string(),
  tokens: count,
  truncated: z.boolean().describe('cut by the length limit'),
});
export type CompletionDocument = z.infer<typeof completionDocument>;

/**
 * The output of `r1 samples RUN STAGE --step N --json`: the completions of a step's batch, and those left out of it.
 */
export const stepSamplesDocument = z.object({
  run: z.string(),
  stage: z.string(),
  branch: count,
  step: count,
  policy: sha256Schema.describe(
    'digest of the weights that sampled; where it is not known, the id of the policy',
  ),
  rollout: z.string().describe('URI of the rollout'),
  completions: count.describe('completions of the step, before --right, --wrong and --limit'),
  right: count,
  wrong: count,
  errors: count,
  asked: count.describe('completions selected by --right or --wrong; --limit may show fewer'),
  samples: z.array(
    completionDocument.extend({
      sequence: count.describe('index in the rollout'),
      advantage: figure.nullable().describe('null: left out of the batch'),
      dropped: z
        .string()
        .nullable()
        .describe('why it was left out of the batch; null: the batch contains it'),
    }),
  ),
});
export type StepSamplesDocument = z.infer<typeof stepSamplesDocument>;
