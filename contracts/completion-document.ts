import { z } from 'zod';
import { count, figure } from './bounds.ts';
import { sampleVerdictSchema } from './datasets.ts';
import { sha256Schema } from './reference.ts';

/** `right`: full marks of the reward `accuracy`; `error`: no verdict; `unjudged`: no such reward concerns the prompt. */
const completionVerdictSchema = z.enum(['right', 'wrong', 'error', 'unjudged']);
export type CompletionVerdict = z.infer<typeof completionVerdictSchema>;

/** One completion with everything that explains its verdict. */
export const completionDocument = z.object({
  hash: sha256Schema.describe('of the problem, its answer and its domain'),
  problem: z.string().describe('before the chat template'),
  prompt: z.string().describe('as the model read it, special tokens among it'),
  completion: z.string().describe('as it was judged: without special tokens'),
  extracted: z.string().nullable().describe('the answer that was found in it; null: none'),
  truth: z.string().describe('the answer that the data set gives; empty where an entry of its own judges'),
  verdict: completionVerdictSchema,
  rewards: z
    .record(z.string(), sampleVerdictSchema.nullable())
    .describe('reward → its verdict; null: it does not concern this domain'),
  domain: z.string(),
  sample: count.describe('which of the prompt’s samples, from 0'),
  seed: z.string(),
  tokens: count,
  truncated: z.boolean().describe('cut by the length limit'),
});
export type CompletionDocument = z.infer<typeof completionDocument>;

/** What `r1 samples RUN STAGE --step N --json` prints: the completions of a step's batch, and those left out of it. */
export const stepSamplesDocument = z.object({
  run: z.string(),
  stage: z.string(),
  branch: count,
  step: count,
  policy: sha256Schema.describe('digest of the weights that sampled'),
  rollout: z.string().describe('its URI'),
  completions: count.describe('of the step, before --right, --wrong and --limit'),
  right: count,
  wrong: count,
  errors: count,
  asked: count.describe('that --right or --wrong asks for; --limit shows fewer'),
  samples: z.array(
    completionDocument.extend({
      sequence: count.describe('place in the rollout'),
      advantage: figure.nullable().describe('null: left out of the batch'),
      dropped: z.string().nullable().describe('why it was left out of the batch; null: it was trained on'),
    }),
  ),
});
export type StepSamplesDocument = z.infer<typeof stepSamplesDocument>;
