import { z } from 'zod';
import { figure } from './bounds.ts';

const sizeFields = {
  steps: z.int(),
  completions: z.int().describe('completions sampled for training or for examples'),
  evaluationCompletions: z.int(),
  tokensSampled: figure.describe('including evaluations'),
  tokensTrained: figure.describe('tokens of responses'),
  tokensRead: figure.describe(
    'tokens of responses in forward passes without a gradient: log-probabilities, reward models',
  ),
  objects: z.int().describe('objects written to S3'),
  s3Bytes: figure.describe('bytes of all objects that are written'),
  s3PeakBytes: figure.describe(
    'most bytes in S3 at once, stages one after the other; without what waits for its deletion',
  ),
  s3FinalBytes: figure.describe('bytes in S3 at the end'),
  largestObject: figure.describe('size in bytes'),
  rows: z
    .record(z.string(), z.int())
    .describe('rows in Postgres, by table; an upper bound for `dataset_rows`'),
  postgresBytes: figure.describe('including indexes'),
  history: z
    .object({
      events: z.int(),
      histories: z.int().describe('number of histories; a stage with a long history continues in a new one'),
      longest: z.int().describe('events of the longest history'),
    })
    .describe('workflow histories in Temporal'),
  seconds: figure.nullable().describe('seconds on one device; null: no rates were given'),
  budgetMinutes: figure.nullable().describe('budget in the recipe'),
};

/** The output of `r1 launch --dry-run --json`: the work of a run of the recipe, and what it would store. */
export const dryRunDocument = z.object({
  recipe: z.string(),
  stages: z.array(z.object({ stage: z.string(), ...sizeFields })),
  total: z.object(sizeFields).describe('includes the run’s rows and workflow, but not what a launch imports'),
  meanLengths: z
    .record(z.string(), figure.nullable())
    .describe(
      'assumed tokens per response, by stage; null: the maximum, so tokens and bytes are upper bounds',
    ),
  rates: z
    .object({ sampling: figure, training: figure })
    .nullable()
    .describe('tokens per second of one device'),
  absent: z
    .array(z.string())
    .describe('models that are not available; if there are any, only the recipe itself was checked'),
  notes: z.array(z.string()).describe('remarks that are not errors'),
});
export type DryRunDocument = z.infer<typeof dryRunDocument>;
