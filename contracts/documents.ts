import { z } from 'zod';
import { raisedAlarmSchema } from './alarms.ts';
import { count, figure } from './bounds.ts';
import { completionDocument, stepSamplesDocument } from './completion-document.ts';
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

const processSchema = z.object({
  name: z.string(),
  role: z.enum(['temporal', 'postgres', 's3', 'orchestrator', 'trainer', 'rewards']),
  /** null: not one of ours (an external address), or not running */
  pid: z.int().nullable(),
  state: z.enum(['starting', 'running', 'backing-off', 'stopped', 'external']),
});

const statusDocument = z.object({
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
    .array(
      z.object({
        folder: z.string(),
        freeBytes: z
          .number()
          .min(0)
          .max(2 ** 53),
      }),
    )
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

const interval = z.tuple([figure, figure]).describe('95 %');

export const evaluationDocument = z.object({
  stage: z.string(),
  step: z.int(),
  problems: z.int(),
  k: z.int(),
  passAt1: figure,
  passAt1Interval: interval,
  consAtK: figure.describe('share of problems whose majority answer is right'),
  consAtKInterval: interval,
  formatRate: figure,
  meanLength: figure.describe('tokens'),
  reflectionRate: figure.describe('share of answers that check or correct themselves'),
  passAtK: figure.nullable().describe('share of problems that at least one sample solves'),
  passAtKInterval: interval.nullable(),
  byDomain: z
    .record(
      z.string(),
      z.object({
        problems: z.int(),
        passAt1: figure,
        passAt1Interval: interval,
        // Left out by evaluations that were recorded before they were told by domain.
        passAtK: figure.optional(),
        passAtKInterval: interval.optional(),
        consAtK: figure.optional(),
        consAtKInterval: interval.optional(),
      }),
    )
    .nullable(),
  generalAbility: figure.nullable().describe('pass@1 on the general domains'),
  languageConsistency: figure.nullable().describe('share of step words in the target language'),
});
export type EvaluationDocument = z.infer<typeof evaluationDocument>;
export type DomainFigures = NonNullable<EvaluationDocument['byDomain']>[string];

const numericsChangeDocument = z.object({
  step: z.int().describe('the first one under the new numerics'),
  before: numericsSchema,
  after: numericsSchema,
});

const versions = z.record(z.string(), z.int());
const verifierChangeDocument = z.object({
  step: z.int().describe('the first one that they judged'),
  before: versions.describe('reward → version, of those that changed'),
  after: versions,
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
        .object({ accuracy: figure, pairs: z.int() })
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
      seams: z.array(numericsChangeDocument).describe('where it went on under other numerics'),
      verifierChanges: z
        .array(verifierChangeDocument)
        .describe('where rewards went on under other versions of their verifiers'),
      startedAt: timestamp.nullable(),
      finishedAt: timestamp.nullable(),
    }),
  ),
  evaluations: z.array(evaluationDocument),
  alarms: z.array(raisedAlarmSchema).describe('of the stages’ current branches, by stage and step'),
});
export type ShowDocument = z.infer<typeof showDocument>;

const stepDocument = z.object({
  stage: z.string(),
  branch: z.int(),
  step: z.int(),
  digestBefore: sha256Schema.nullable(),
  digestAfter: sha256Schema.nullable(),
  batch: referenceSchema,
  loss: figure,
  learningRate: figure,
  gradNorm: figure,
  entropy: figure.nullable(),
  kl: figure.nullable(),
  clipFraction: figure.nullable(),
  samplerGap: figure.nullable(),
  reward: figure.nullable(),
  rewards: z.record(z.string(), figure).nullable(),
  accuracy: figure.nullable(),
  meanLength: figure,
  zeroVarianceShare: figure.nullable(),
  dropped: z.int(),
  tokensSampled: z.int(),
  tokensTrained: z.int(),
  secondsSampling: figure,
  secondsScoring: figure,
  secondsTraining: figure.describe('the train step, and log-probabilities under old and reference policy'),
  secondsOther: figure,
  seam: z.boolean(),
});
export type StepDocument = z.infer<typeof stepDocument>;
export const stepsDocument = z.array(stepDocument);

/** Which checkpoint of which stage a model is; null for a folder. */
const checkpointOf = {
  stage: z.string().nullable(),
  step: z.int().min(0).nullable().describe('0: what the stage started from'),
};

const generateDocument = z.object({
  checkpoint: z.string().describe('URI of the manifest, or the folder'),
  ...checkpointOf,
  promptTokens: z.array(z.int()),
  tokens: z.array(z.int()),
  logprobs: z.array(figure).describe('at temperature 1, before top-k and top-p'),
  text: z.string(),
});
export type GenerateDocument = z.infer<typeof generateDocument>;

export const evalDocument = evaluationDocument.extend({
  checkpoint: z.string(),
  digest: sha256Schema,
  seconds: figure,
  counts: z
    .object({ right: count, wrong: count, errors: count, unanswered: count, truncated: count })
    .describe(
      'of all samples; `unanswered`: no answer was found in them; `truncated`: cut by the length limit',
    ),
  samples: z.array(completionDocument).describe('as many as --show asks for'),
});
export type EvalDocument = z.infer<typeof evalDocument>;

const launchDocument = z.object({
  run: z.string(),
  workflowId: z.string(),
  ui: z.string().nullable(),
});

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
const waitsForSchema = z.enum([
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

const exportDocument = z.object({
  checkpoint: z.string(),
  run: z.string(),
  stage: z.string(),
  step: z.int().min(0).describe('0: what the stage started from'),
  steps: z.int().min(1).describe('that the stage plans'),
  nextSave: z.int().min(1).nullable().describe('step of the stage’s next checkpoint; null: none comes'),
  folder: z.string(),
  files: z.array(z.string()),
});

const reportDocument = z.object({
  run: z.string(),
  page: z.string().describe('path of the HTML page'),
  summary: z.string().describe('path of the Markdown summary'),
});

const pretrainDocument = pretrainingSchema.extend({ folder: z.string(), files: z.array(z.string()) });
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
  textDomains: z.array(z.string()).describe('those without a verifier: answers are compared as text'),
  duplicates: z.int().describe('rows equal to an earlier one'),
  refused: z.int(),
  refusals: z.array(refusedRowSchema).describe('the first thousand'),
  contaminated: z.int().describe('rows that share with an evaluation what is no common instruction'),
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
  'samples-step': stepSamplesDocument,
  'eval-sample': completionDocument,
  datasets: datasetsDocument,
  'dataset-show': datasetDocument,
  'dataset-diff': datasetDiffDocument,
  report: reportDocument,
  pretrain: pretrainDocument,
} as const;
