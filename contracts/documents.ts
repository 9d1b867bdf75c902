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

/** The documents that `r1 … --json` prints; `contracts/schemas/` contains their JSON Schemas. */

const timestamp = z.iso.datetime();

const processSchema = z.object({
  name: z.string(),
  role: z.enum(['temporal', 'postgres', 's3', 'orchestrator', 'trainer', 'rewards']),
  /** null: an external process, or not running */
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
      .describe('who can control runs there without a key; null: unknown, since the server is external'),
  }),
  postgres: z.object({ url: z.string().describe('without the password') }),
  s3: z.object({ endpoint: z.string(), bucket: z.string() }),
  processes: z.array(processSchema),
  queue: z
    .array(z.object({ run: z.string(), stage: z.string(), place: z.int(), since: timestamp }))
    .nullable()
    .describe('stages that wait for a trainer, in order; null: the database is not available'),
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
    .describe('full disks of this stack, each by a folder on it; writes to them wait'),
});
export type StatusDocument = z.infer<typeof statusDocument>;

const queuePositionSchema = z
  .int()
  .nullable()
  .describe('position in the queue for a trainer, from 1; null: not in the queue');

export const runsDocument = z.array(
  z.object({
    run: z.string(),
    recipe: z.string(),
    status: runStatusSchema,
    startedAt: timestamp,
    place: queuePositionSchema,
  }),
);
export type RunsDocument = z.infer<typeof runsDocument>;

const interval = z.tuple([figure, figure]).describe('95 % confidence interval');

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
  meanLength: figure.describe('mean length in tokens'),
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
        // Optional: evaluations of an earlier release do not have these by domain.
        passAtK: figure.optional(),
        passAtKInterval: interval.optional(),
        consAtK: figure.optional(),
        consAtKInterval: interval.optional(),
      }),
    )
    .nullable(),
  generalAbility: figure.nullable().describe('pass@1 on the general domains'),
  languageConsistency: figure
    .nullable()
    .describe('mean share of the chain of thought’s words in the target language'),
});
export type EvaluationDocument = z.infer<typeof evaluationDocument>;
export type DomainFigures = NonNullable<EvaluationDocument['byDomain']>[string];

export const numericsChangeDocument = z.object({
  step: z.int().describe('first step under the new numerics'),
  before: numericsSchema,
  after: numericsSchema,
});

const versions = z.record(z.string(), z.int());
const verifierChangeDocument = z.object({
  step: z.int().describe('first step under the new versions'),
  before: versions.describe('verifier version of each reward that changed'),
  after: versions,
});

export const showDocument = z.object({
  run: z.string(),
  workflowId: z.string().describe('workflow of the run, the parent of each stage’s workflow'),
  recipe: z.string(),
  seed: z.string(),
  status: runStatusSchema,
  startedAt: timestamp,
  finishedAt: timestamp.nullable(),
  place: queuePositionSchema,
  stages: z.array(
    z.object({
      stage: z.string(),
      algorithm: z.enum(['grpo', 'sft', 'reward-model']),
      origin: z.string().nullable().describe('base, student/NAME, or the stage it starts from'),
      needs: z
        .array(z.string())
        .describe(
          'stages whose weights, samples, examples or rewards it uses; they must be complete before it starts',
        ),
      workflowId: z.string(),
      parentWorkflowId: z.string(),
      measure: z
        .object({ accuracy: figure, pairs: z.int() })
        .nullable()
        .describe('of a reward model: share of held-out pairs ranked correctly, and their number'),
      dataset: sha256Schema.nullable().describe('digest of the examples of a supervised stage'),
      status: stageStatusSchema,
      reason: z.string().nullable().describe('why it is parked, or at which step and by whom it was paused'),
      branch: z.int(),
      step: z.int(),
      steps: z.int(),
      checkpoint: z.object({ uri: z.string(), digest: sha256Schema }).nullable(),
      changes: z.array(changeSchema).describe('live changes, ordered by effective step'),
      seams: z.array(numericsChangeDocument).describe('changes of numerics'),
      verifierChanges: z.array(verifierChangeDocument).describe('changes of verifier versions'),
      startedAt: timestamp.nullable(),
      finishedAt: timestamp.nullable(),
    }),
  ),
  evaluations: z.array(evaluationDocument),
  checkpoints: z
    .array(
      z.object({
        stage: z.string(),
        branch: z.int(),
        step: z.int(),
        uri: z.string().describe('URI of the manifest'),
        bytes: figure,
        kept: z.array(z.string()).describe('why it is kept; empty: it is deleted, or about to be'),
        deleted: z.object({ at: timestamp, reason: z.string() }).nullable(),
      }),
    )
    .describe(
      'committed checkpoints of all branches, deleted ones included, ordered by stage, branch and step',
    ),
  alarms: z
    .array(raisedAlarmSchema)
    .describe('alarms of the stages’ current branches, ordered by stage and step'),
});
export type ShowDocument = z.infer<typeof showDocument>;

export const stepDocument = z.object({
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
  secondsTraining: figure.describe(
    'the train step, and log-probabilities under the old and the reference policy',
  ),
  secondsOther: figure,
  seam: z.boolean(),
});
export type StepDocument = z.infer<typeof stepDocument>;
export const stepsDocument = z.array(stepDocument);

/** Stage and step of a model's checkpoint; null for a folder. */
const checkpointOf = {
  stage: z.string().nullable(),
  step: z.int().min(0).nullable().describe('0: the checkpoint that the stage started from'),
};

const generateDocument = z.object({
  checkpoint: z.string().describe('URI of the manifest, or the folder'),
  ...checkpointOf,
  promptTokens: z.array(z.int()),
  tokens: z.array(z.int()),
  logprobs: z.array(figure).describe('log-probabilities at temperature 1, before top-k and top-p'),
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
      'counts over all samples; `unanswered`: without an answer; `truncated`: cut by the length limit',
    ),
  samples: z.array(completionDocument).describe('the number of samples given by --show'),
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
    .describe(
      'told: it received the message; begun: it had ended and was started again; gone: it has ended, only the rows changed',
    ),
  rewound: z
    .object({ branch: z.int(), step: z.int() })
    .nullable()
    .describe('the new branch, and the step after which it continues'),
});
export type OperatorDocument = z.infer<typeof operatorDocument>;

/** What a run can wait for, in the order of the checks. */
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
  run: z.string().nullable().describe('null: no run was named, and the rows cannot be read'),
  status: runStatusSchema.nullable().describe('status in the rows; null: they cannot be read'),
  stage: z.string().nullable(),
  step: z.int().nullable(),
  steps: z.int().nullable(),
  waitsFor: waitsForSchema.describe('`nothing`: the run has ended; `work`: it makes progress'),
  since: timestamp.nullable().describe('start of the wait; null: the workflow did not report it'),
  text: z.string().describe('the explanation as text'),
  ways: z
    .array(z.object({ command: z.string(), does: z.string() }))
    .describe('commands that an operator can use'),
});
export type WhyDocument = z.infer<typeof whyDocument>;

export const setDocument = z.object({ run: z.string(), stage: z.string(), changes: z.array(changeSchema) });
export type SetDocument = z.infer<typeof setDocument>;

/** `checkpoint.json` of an exported folder: the source checkpoint. Readers check the weights against `digest`. */
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
  step: z.int().min(0).describe('0: the checkpoint that the stage started from'),
  steps: z.int().min(1).describe('steps that the stage plans'),
  nextSave: z.int().min(1).nullable().describe('step of the stage’s next checkpoint; null: none follows'),
  folder: z.string(),
  files: z.array(z.string()),
});

const modelDocument = z.object({
  name: z.string(),
  source: z.string().describe('a folder, a GGUF file, or `owner/name` of a hub'),
  revision: z.string().nullable().describe('commit of the hub’s repository; null: files of this machine'),
  license: z.string().nullable().describe('null: its files name none'),
  architecture: z.string().describe('as config.json names it'),
  parameters: z.int(),
  context: z.int().describe('positions'),
  dtypes: z.array(z.string()).describe('of the source’s tensors, the most elements first'),
  digest: sha256Schema.describe('of the stored weights'),
  manifest: z.string(),
  addedAt: z.iso.datetime(),
  embedded: z.string().nullable().describe('why the embedded worker cannot train it; null: it can'),
});
const modelsDocument = z.array(modelDocument);
export type ModelsDocument = z.infer<typeof modelsDocument>;

const reportDocument = z.object({
  run: z.string(),
  page: z.string().describe('path of the HTML page'),
  summary: z.string().describe('path of the Markdown summary'),
});

const pretrainDocument = pretrainingSchema.extend({ folder: z.string(), files: z.array(z.string()) });
export type PretrainDocument = z.infer<typeof pretrainDocument>;

const refusedRowSchema = z.object({
  source: z.string(),
  line: z.int(),
  field: z.string().describe('empty: the whole row'),
  message: z.string(),
});

export const importDocument = z.object({
  name: z.string(),
  kind: z.enum(['prompts', 'preferences', 'labels', 'examples']),
  files: z.array(z.object({ path: z.string(), layout: z.string(), rows: z.int(), found: z.int() })),
  rows: z.int().describe('usable rows'),
  domains: z.array(z.object({ domain: z.string(), train: z.int(), test: z.int() })),
  textDomains: z.array(z.string()).describe('domains without a verifier: answers are compared as text'),
  duplicates: z.int().describe('rows equal to an earlier one'),
  refused: z.int(),
  refusals: z.array(refusedRowSchema).describe('the first 1,000'),
  contaminated: z.int().describe('rows that share text with an evaluation set, common instructions excluded'),
  contaminations: z.array(refusedRowSchema).describe('the first 1,000'),
  written: z
    .object({ digest: sha256Schema, train: z.int(), test: z.int() })
    .nullable()
    .describe('null: nothing was written'),
});
export type ImportDocument = z.infer<typeof importDocument>;

export const doctorDocument = z.object({
  ready: z.boolean().describe('whether everything required is present'),
  checks: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['ok', 'warning', 'missing']),
      found: z.string(),
      next: z.string().nullable().describe('what to do next; null: nothing'),
    }),
  ),
});
export type DoctorDocument = z.infer<typeof doctorDocument>;

/** The document of each command; `contracts/schemas/COMMAND.json` is generated from it. */
/** The output of `r1 gc --json`. */
const gcDocument = z.object({
  dryRun: z.boolean(),
  checkpoints: z
    .array(
      z.object({
        run: z.string(),
        stage: z.string(),
        branch: z.int(),
        step: z.int(),
        bytes: figure,
        reason: z.string().describe('why no rule keeps it'),
      }),
    )
    .describe('checkpoints whose rows were deleted; with --dry-run, would be'),
  objects: z
    .array(
      z.object({
        uri: z.string(),
        bytes: figure,
        reason: z.string(),
        markedAt: timestamp.nullable().describe('its grace began; null: it is not marked yet'),
      }),
    )
    .describe('objects that wait for their deletion'),
  deleted: z.object({ objects: z.int(), bytes: figure }).describe('objects that were deleted'),
});
export type GcDocument = z.infer<typeof gcDocument>;

export const documents = {
  doctor: doctorDocument,
  import: importDocument,
  status: statusDocument,
  runs: runsDocument,
  gc: gcDocument,
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
  model: modelDocument,
  models: modelsDocument,
  samples: samplesDocument,
  'samples-step': stepSamplesDocument,
  'eval-sample': completionDocument,
  datasets: datasetsDocument,
  'dataset-show': datasetDocument,
  'dataset-diff': datasetDiffDocument,
  report: reportDocument,
  pretrain: pretrainDocument,
} as const;
