import { z } from 'zod';
import { raisedAlarmSchema } from './alarms.ts';
import {
  datasetDiffDocument,
  datasetDocument,
  datasetsDocument,
  samplesDocument,
} from './dataset-documents.ts';
import { type DryRunDocument, dryRunDocument } from './dry-run-document.ts';
import { numericsSchema } from './numerics.ts';
import { changeSchema } from './options.ts';
import { pretrainingSchema } from './pretrain.ts';
import { referenceSchema, sha256Schema } from './reference.ts';
import { runStatusSchema, stageStatusSchema } from './stage-state.ts';

export type { DryRunDocument };

/** The documents that `r1 … --json` prints. JSON Schemas made from them lie in `contracts/schemas/`. */

const timestamp = z.iso.datetime();

export const processSchema = z.object({
  name: z.string(),
  role: z.enum(['temporal', 'postgres', 's3', 'orchestrator', 'trainer', 'rewards']),
  /** null: not one of ours (an external address), or not running */
  pid: z.int().nullable(),
  state: z.enum(['starting', 'running', 'backing-off', 'stopped', 'external']),
});

export const statusDocument = z.object({
  temporal: z.object({
    address: z.string(),
    ui: z.string().nullable(),
    openTo: z
      .enum(['every local user'])
      .nullable()
      .describe('who may steer runs there without a key; null: not known, the server is not ours'),
  }),
  postgres: z.object({ url: z.string().describe('without the password') }),
  s3: z.object({ endpoint: z.string(), bucket: z.string() }),
  processes: z.array(processSchema),
  queue: z
    .array(z.object({ run: z.string(), stage: z.string(), place: z.int(), since: timestamp }))
    .nullable()
    .describe('stages that wait for a trainer, the next first; null: the database does not answer'),
  fullDisks: z
    .array(z.object({ folder: z.string(), freeBytes: z.number() }))
    .describe('disks of ours without room, each by a folder on it; what cannot be written waits'),
});
export type StatusDocument = z.infer<typeof statusDocument>;

const placeSchema = z
  .int()
  .nullable()
  .describe('in the queue for a trainer, from 1 on; null: it waits for none');

export const runsDocument = z.array(
  z.object({
    run: z.string(),
    recipe: z.string(),
    status: runStatusSchema,
    startedAt: timestamp,
    place: placeSchema,
  }),
);
export type RunsDocument = z.infer<typeof runsDocument>;

const interval = z.tuple([z.number(), z.number()]).describe('95 %');

export const evaluationDocument = z.object({
  stage: z.string(),
  step: z.int(),
  problems: z.int(),
  k: z.int(),
  passAt1: z.number(),
  passAt1Interval: interval,
  consAtK: z.number().describe('share of problems whose majority answer is right'),
  consAtKInterval: interval,
  formatRate: z.number(),
  meanLength: z.number().describe('tokens'),
  reflectionRate: z.number().describe('share of answers that check or correct themselves'),
  passAtK: z.number().nullable().describe('share of problems that at least one sample solves'),
  passAtKInterval: interval.nullable(),
  byDomain: z
    .record(
      z.string(),
      z.object({
        problems: z.int(),
        passAt1: z.number(),
        passAt1Interval: interval,
        // Left out by evaluations that were recorded before they were told by domain.
        passAtK: z.number().optional(),
        passAtKInterval: interval.optional(),
        consAtK: z.number().optional(),
        consAtKInterval: interval.optional(),
      }),
    )
    .nullable(),
  generalAbility: z.number().nullable().describe('pass@1 on the general domains'),
  languageConsistency: z.number().nullable().describe('share of step words in the target language'),
});
export type EvaluationDocument = z.infer<typeof evaluationDocument>;
export type DomainFigures = NonNullable<EvaluationDocument['byDomain']>[string];

export const seamDocument = z.object({
  step: z.int().describe('the first one under the new numerics'),
  before: numericsSchema,
  after: numericsSchema,
});

export const showDocument = z.object({
  run: z.string(),
  workflowId: z.string().describe('the root of the tree: the parent of each stage’s workflow'),
  recipe: z.string(),
  seed: z.string(),
  status: runStatusSchema,
  startedAt: timestamp,
  finishedAt: timestamp.nullable(),
  place: placeSchema,
  stages: z.array(
    z.object({
      stage: z.string(),
      algorithm: z.enum(['grpo', 'sft', 'reward-model']),
      origin: z.string().nullable().describe('base, student/NAME, or the stage it starts from'),
      needs: z
        .array(z.string())
        .describe(
          'stages whose weights, samples, examples or scores it is made of: complete before it begins',
        ),
      workflowId: z.string(),
      parentWorkflowId: z.string(),
      measure: z
        .object({ accuracy: z.number(), pairs: z.int() })
        .nullable()
        .describe('of a reward model: how many held-out pairs it ranks rightly'),
      dataset: sha256Schema.nullable().describe('digest of the examples of a supervised stage'),
      status: stageStatusSchema,
      reason: z.string().nullable().describe('why it is parked, or where and by whom it was paused'),
      branch: z.int(),
      step: z.int(),
      steps: z.int(),
      checkpoint: z.object({ uri: z.string(), digest: sha256Schema }).nullable(),
      changes: z.array(changeSchema).describe('live changes, by effective step'),
      seams: z.array(seamDocument).describe('where it went on under other numerics'),
      startedAt: timestamp.nullable(),
      finishedAt: timestamp.nullable(),
    }),
  ),
  evaluations: z.array(evaluationDocument),
  alarms: z.array(raisedAlarmSchema).describe('of the stages’ current branches, by stage and step'),
});
export type ShowDocument = z.infer<typeof showDocument>;

export const stepDocument = z.object({
  stage: z.string(),
  branch: z.int(),
  step: z.int(),
  digestBefore: sha256Schema.nullable(),
  digestAfter: sha256Schema.nullable(),
  batch: referenceSchema,
  loss: z.number(),
  learningRate: z.number(),
  gradNorm: z.number(),
  entropy: z.number().nullable(),
  kl: z.number().nullable(),
  clipFraction: z.number().nullable(),
  samplerGap: z.number().nullable(),
  reward: z.number().nullable(),
  rewards: z.record(z.string(), z.number()).nullable(),
  accuracy: z.number().nullable(),
  meanLength: z.number(),
  zeroVarianceShare: z.number().nullable(),
  dropped: z.int(),
  tokensSampled: z.int(),
  tokensTrained: z.int(),
  secondsSampling: z.number(),
  secondsScoring: z.number(),
  secondsTraining: z
    .number()
    .describe('the train step, and log-probabilities under old and reference policy'),
  secondsOther: z.number(),
  seam: z.boolean(),
});
export type StepDocument = z.infer<typeof stepDocument>;
export const stepsDocument = z.array(stepDocument);

export const generateDocument = z.object({
  promptTokens: z.array(z.int()),
  tokens: z.array(z.int()),
  logprobs: z.array(z.number()).describe('at temperature 1, before top-k and top-p'),
  text: z.string(),
});
export type GenerateDocument = z.infer<typeof generateDocument>;

export const evalDocument = evaluationDocument.extend({
  checkpoint: z.string(),
  digest: sha256Schema,
  seconds: z.number(),
});
export type EvalDocument = z.infer<typeof evalDocument>;

export const launchDocument = z.object({
  run: z.string(),
  workflowId: z.string(),
  ui: z.string().nullable(),
});
export type LaunchDocument = z.infer<typeof launchDocument>;

export const operatorDocument = z.object({
  run: z.string(),
  stage: z.string(),
  said: z.enum(['pause', 'resume', 'retry', 'cancel', 'abort']),
  when: z.enum(['now', 'next-step']),
  workflow: z
    .enum(['told', 'begun', 'gone'])
    .describe('told what was said; begun, as it was gone; or gone, so that the rows alone were told'),
  rewound: z
    .object({ branch: z.int(), step: z.int() })
    .nullable()
    .describe('the new branch, and the step after which it goes on'),
});
export type OperatorDocument = z.infer<typeof operatorDocument>;

/** What a run can wait for, in the order in which it is looked for. */
export const waitsForSchema = z.enum([
  'stack',
  'database',
  'nothing',
  'temporal',
  'objects',
  'workflow',
  'operator',
  'orchestrator',
  'trainer',
  'rewards',
  'another-try',
  'disk',
  'work',
]);

export const whyDocument = z.object({
  run: z.string().nullable().describe('null where none was named and the rows cannot be read'),
  status: runStatusSchema.nullable().describe('by the rows; null where they cannot be read'),
  stage: z.string().nullable(),
  step: z.int().nullable(),
  steps: z.int().nullable(),
  waitsFor: waitsForSchema.describe('`nothing`: it has ended; `work`: it gets on'),
  since: timestamp.nullable().describe('where the workflow could say'),
  text: z.string().describe('the paragraph that a person reads'),
  ways: z.array(z.object({ command: z.string(), does: z.string() })).describe('what an operator can do'),
});
export type WhyDocument = z.infer<typeof whyDocument>;

export const setDocument = z.object({ run: z.string(), stage: z.string(), changes: z.array(changeSchema) });
export type SetDocument = z.infer<typeof setDocument>;

/** `checkpoint.json` of an exported folder: which checkpoint it is. Its weights are held to `digest` when it is read. */
export const exportedCheckpointSchema = z.object({
  run: z.string(),
  stage: z.string(),
  step: z.int(),
  checkpoint: z.string().describe('URI of the manifest'),
  digest: sha256Schema,
});

export const exportDocument = z.object({
  checkpoint: z.string(),
  folder: z.string(),
  files: z.array(z.string()),
});

export const reportDocument = z.object({
  run: z.string(),
  page: z.string().describe('path of the HTML page'),
  summary: z.string().describe('path of the Markdown summary'),
});

export const pretrainDocument = pretrainingSchema.extend({ folder: z.string(), files: z.array(z.string()) });
export type PretrainDocument = z.infer<typeof pretrainDocument>;

/** Command → its document; `contracts/schemas/COMMAND.json` is made from each. */
const refusedRowSchema = z.object({
  source: z.string(),
  line: z.int(),
  field: z.string().describe('empty: the row as a whole'),
  message: z.string(),
});

export const importDocument = z.object({
  name: z.string(),
  kind: z.enum(['prompts', 'preferences', 'labels', 'examples']),
  files: z.array(z.object({ path: z.string(), layout: z.string(), rows: z.int(), found: z.int() })),
  rows: z.int().describe('that can be used'),
  domains: z.array(z.object({ domain: z.string(), train: z.int(), test: z.int() })),
  duplicates: z.int().describe('rows equal to an earlier one'),
  refused: z.int(),
  refusals: z.array(refusedRowSchema).describe('the first thousand'),
  contaminated: z.int().describe('rows that share a run of words with an evaluation'),
  contaminations: z.array(refusedRowSchema).describe('the first thousand'),
  written: z
    .object({ digest: sha256Schema, train: z.int(), test: z.int() })
    .nullable()
    .describe('null: nothing was written'),
});
export type ImportDocument = z.infer<typeof importDocument>;

export const doctorDocument = z.object({
  ready: z.boolean().describe('false: something required is missing'),
  checks: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['ok', 'warning', 'missing']),
      found: z.string(),
      next: z.string().nullable().describe('what to do; null: nothing'),
    }),
  ),
});
export type DoctorDocument = z.infer<typeof doctorDocument>;

export const documents = {
  doctor: doctorDocument,
  import: importDocument,
  status: statusDocument,
  runs: runsDocument,
  show: showDocument,
  steps: stepsDocument,
  generate: generateDocument,
  eval: evalDocument,
  launch: launchDocument,
  'dry-run': dryRunDocument,
  pause: operatorDocument,
  resume: operatorDocument,
  retry: operatorDocument,
  cancel: operatorDocument,
  abort: operatorDocument,
  set: setDocument,
  why: whyDocument,
  export: exportDocument,
  samples: samplesDocument,
  datasets: datasetsDocument,
  'dataset-show': datasetDocument,
  'dataset-diff': datasetDiffDocument,
  report: reportDocument,
  pretrain: pretrainDocument,
} as const;
