/**
 * The operations of a run: for each kind the activities it calls, and the objects and rows that they write. The size
 * of a run is the sum of its operations. Bytes follow the records' formats (`contracts/records.ts`).
 */

/** Bytes of a row in Postgres, rounded up: about half is the row itself, the rest are indexes and free space. */
const bytesOfRow = {
  runs: 12_000,
  stages: 1_000,
  branches: 200,
  terms: 250,
  batches: 2_600,
  steps: 1_000,
  prompt_uses: 400,
  checkpoints: 1_400,
  evaluations: 1_600,
  sample_parts: 2_500,
  samples: 450,
  text_shards: 700,
  datasets: 1_500,
  dataset_rows: 90,
  dataset_builds: 250,
} as const;

type Table = keyof typeof bytesOfRow;
/** Counts by table. */
export type Rows = Partial<Record<Table, number>>;

export interface Operation {
  /** sampled to be trained on, or to become examples */
  completions: number;
  /** sampled to measure a policy */
  evaluationCompletions: number;
  tokensSampled: number;
  /** of responses that steps train on; for a reward model, of prompts too */
  tokensTrained: number;
  /** of responses in forward passes without a gradient: separate log-probabilities, reward models */
  tokensRead: number;
  /** bytes of each object put into S3 */
  objects: readonly number[];
  rows: Rows;
  /** of the workflow's history in Temporal */
  events: number;
}

const nothing: Operation = {
  completions: 0,
  evaluationCompletions: 0,
  tokensSampled: 0,
  tokensTrained: 0,
  tokensRead: 0,
  objects: [],
  rows: {},
  events: 0,
};

const operation = (part: Partial<Operation>): Operation => ({ ...nothing, ...part });

export function sumOf(operations: readonly Operation[]): Operation {
  const total = (of: (one: Operation) => number) => operations.reduce((sum, one) => sum + of(one), 0);
  return {
    completions: total(({ completions }) => completions),
    evaluationCompletions: total(({ evaluationCompletions }) => evaluationCompletions),
    tokensSampled: total(({ tokensSampled }) => tokensSampled),
    tokensTrained: total(({ tokensTrained }) => tokensTrained),
    tokensRead: total(({ tokensRead }) => tokensRead),
    objects: operations.flatMap(({ objects }) => objects),
    rows: addRows(operations.map(({ rows }) => rows)),
    events: total(({ events }) => events),
  };
}

/** Tables without rows are left out. */
export function addRows(parts: readonly Rows[]): Rows {
  const sums: Rows = {};
  for (const part of parts) {
    for (const [table, rows] of entriesOf(part)) {
      if (rows > 0) sums[table] = (sums[table] ?? 0) + rows;
    }
  }
  return sums;
}

/** Rows multiplied by a count. */
export const timesRows = (rows: Rows, times: number): Rows =>
  Object.fromEntries(entriesOf(rows).map(([table, number]) => [table, times * number]));

export const rowBytes = (rows: Rows): number =>
  entriesOf(rows).reduce((sum, [table, count]) => sum + count * bytesOfRow[table], 0);

const entriesOf = (rows: Rows) => Object.entries(rows) as [Table, number][];

/** Events of an activity and of the workflow task after it: scheduled, started and completed of each. */
const ACTIVITY = 6;
/** A workflow's first and last event, and its first task. */
const FRAME = 5;
/** Search attributes set for the UI's lists. */
const ATTRIBUTES = 1;

/** float32, int32 */
const NUMBER = 4;
/** JSON at the head of a record; a checkpoint's manifest; a configuration or a tokenizer. */
const HEADER = 700;
const MANIFEST = 4_000;
const COMPANION = 100_000;
/** UTF-8 bytes of a token: the mean of common tokenizers; one of single characters has fewer. */
const TEXT = 4;
/** As JSON: a seed; the fields of a drawn prompt besides its text; a verdict. */
const SEED = 23;
const DRAWN_PROMPT = 170;
const VERDICT = 30;

/** Responses that one request samples. */
export interface Sampling {
  prompts: number;
  promptTokens: number;
  responses: number;
  /** of all responses */
  tokens: number;
  /** rewards by rule that judge each */
  rewards: number;
}

const requestBytes = ({ prompts, promptTokens, responses }: Sampling) =>
  HEADER + responses * SEED + prompts * (DRAWN_PROMPT + (TEXT + NUMBER) * promptTokens + NUMBER);
/** Tokens and their log-probabilities, lengths, and which were cut. */
const rolloutBytes = ({ responses, tokens }: Sampling) =>
  HEADER + 2 * NUMBER * responses + 2 * NUMBER * tokens;
const scoresBytes = ({ responses, tokens, rewards }: Sampling) =>
  HEADER + rewards * responses * VERDICT + TEXT * tokens;
const sampledObjects = (sampling: Sampling) => [
  requestBytes(sampling),
  rolloutBytes(sampling),
  scoresBytes(sampling),
];

/** A stage opens: it reads the plan and its position, and sets the status `running`. */
export const opening = (): Operation => operation({ events: FRAME + 2 * ACTIVITY + ATTRIBUTES });

/** A trainer loads a policy under a new lease term. */
export const acquiring = (): Operation => operation({ events: 2 * ACTIVITY, rows: { terms: 1 } });

export const releasing = (): Operation => operation({ events: ACTIVITY });

/** The trainer is released, and the end is recorded and shown. */
export const ending = (): Operation => operation({ events: 2 * ACTIVITY + ATTRIBUTES });

/** Reward models of the run that score a rollout, and policies whose log-probabilities are computed separately. */
export interface RolloutExtras {
  models: number;
  policies: number;
  /** dynamic sampling: at least one round, which is joined */
  joins: boolean;
}

/** Draw, sample, score; scores of each model, and all scores joined; log-probabilities. */
export function rollout(sampling: Sampling, { models, policies, joins }: RolloutExtras): Operation {
  const scorings = models === 0 ? 0 : models + 1;
  const { prompts, responses, tokens } = sampling;
  return operation({
    completions: responses,
    tokensSampled: tokens,
    tokensRead: (models + policies) * tokens,
    events: ACTIVITY * (3 + scorings + Math.min(1, policies) + (joins ? 1 : 0)),
    objects: [
      ...sampledObjects(sampling),
      ...(joins ? sampledObjects(sampling) : []),
      ...Array<number>(scorings).fill(scoresBytes(sampling)),
      ...(policies === 0 ? [] : [HEADER + policies * NUMBER * tokens]),
    ],
    rows: { prompt_uses: prompts },
  });
}

/** What one step trains on. */
export interface Batch {
  responses: number;
  tokens: number;
  promptTokens: number;
  /** numbers logged of each token: its id, log-probabilities */
  perToken: number;
  /** whether prompts count as trained on: true for a reward model, which reads them too */
  withPrompts?: boolean;
}

/** Log the batch, train on it, record the step. */
export const step = ({ responses, tokens, promptTokens, perToken, withPrompts = false }: Batch): Operation =>
  operation({
    tokensTrained: tokens + (withPrompts ? responses * promptTokens : 0),
    events: 3 * ACTIVITY,
    objects: [3 * HEADER + responses * NUMBER * (promptTokens + 5) + perToken * NUMBER * tokens],
    rows: { batches: 1, steps: 1 },
  });

/** Weights, AdamW's two moments, the manifest; the reference policy where it changed since the last checkpoint. */
export const checkpoint = (parameters: number, { withReference }: { withReference: boolean }): Operation => {
  const weights = NUMBER * parameters;
  return operation({
    events: 2 * ACTIVITY + ATTRIBUTES,
    objects: [weights, 2 * weights, MANIFEST, ...(withReference ? [weights] : [])],
    rows: { checkpoints: 1 },
  });
};

/** Draw, sample, score, compute statistics. */
export const evaluation = (sampling: Sampling): Operation =>
  operation({
    evaluationCompletions: sampling.responses,
    tokensSampled: sampling.tokens,
    events: 4 * ACTIVITY,
    objects: sampledObjects(sampling),
    rows: { evaluations: 1 },
  });

/** Draw, sample, score, select. */
export const samplePart = (sampling: Sampling): Operation =>
  operation({
    completions: sampling.responses,
    tokensSampled: sampling.tokens,
    events: 4 * ACTIVITY,
    objects: [...sampledObjects(sampling), TEXT * sampling.tokens],
    rows: { sample_parts: 1, text_shards: 1, samples: sampling.responses },
  });

/** The stage looks for its data set. Where there is none, it builds one or takes over another stage's. */
export const readingExamples = (): Operation => operation({ events: ACTIVITY });
export const dataset = (rows: number): Operation =>
  operation({ events: ACTIVITY, rows: { datasets: 1, dataset_builds: 1, dataset_rows: rows } });
export const datasetTakenOver = (): Operation => operation({ events: ACTIVITY });

/** A policy with a new scalar head: weights, configuration, the tokenizer's two files, the manifest. */
export const scalarHead = (parameters: number): Operation =>
  operation({ objects: [NUMBER * parameters, COMPANION, COMPANION, COMPANION, MANIFEST] });

/** Held-out preferences are ranked. */
export const ranking = (): Operation => operation({ events: ACTIVITY });

/** The run's row and those of its stages, and its workflow's events: plan, status, and each stage's begin and end. */
export const launching = (stages: number): Operation =>
  operation({ events: FRAME + 2 * ACTIVITY + 9 * stages, rows: { runs: 1, stages, branches: stages } });
