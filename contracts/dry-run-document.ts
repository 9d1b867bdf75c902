import { z } from 'zod';
import { figure } from './bounds.ts';

const sizeFields = {
  steps: z.int(),
  completions: z.int().describe('sampled to be trained on or to become examples'),
  evaluationCompletions: z.int(),
  tokensSampled: figure.describe('for evaluations too'),
  tokensTrained: figure.describe('of responses'),
  tokensRead: figure.describe('of responses, once more without a gradient: log-probabilities, reward models'),
  objects: z.int().describe('in S3'),
  s3Bytes: figure,
  largestObject: figure.describe('bytes'),
  rows: z.record(z.string(), z.int()).describe('in Postgres, by table; `dataset_rows` at most'),
  postgresBytes: figure.describe('indexes among them'),
  history: z
    .object({
      events: z.int(),
      histories: z.int().describe('a stage whose history grows long goes on in a new one'),
      longest: z.int().describe('events of the longest one'),
    })
    .describe('in Temporal'),
  seconds: figure.nullable().describe('of one device; null where no rates are given'),
  budgetMinutes: figure.nullable().describe('as the recipe says'),
};

/** What `r1 launch --dry-run --json` prints: what a run of the recipe would do and leave. */
export const dryRunDocument = z.object({
  recipe: z.string(),
  stages: z.array(z.object({ stage: z.string(), ...sizeFields })),
  total: z
    .object(sizeFields)
    .describe('with the run’s own rows and workflow; what a launch imports is not counted'),
  meanLengths: z
    .record(z.string(), figure.nullable())
    .describe(
      'stage → tokens of a response as reckoned with; null: each as long as it may be, so tokens and bytes are at most',
    ),
  rates: z
    .object({ sampling: figure, training: figure })
    .nullable()
    .describe('tokens a second of one device'),
  absent: z
    .array(z.string())
    .describe('models that are not at hand: where there are any, nothing but the recipe itself was checked'),
  notes: z.array(z.string()).describe('what is right and still worth knowing'),
});
export type DryRunDocument = z.infer<typeof dryRunDocument>;
