/**
 * The operations of a run: for each kind the activities it calls, and the objects and rows that they write. The size
 * of a run is the sum of its operations. Bytes follow the records' formats (`contracts/records/`).
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
  deleted_checkpoints: 1_500,
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
  /** in forward passes without a gradient: separate log-probabilities, reward models */
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

/** Tables without rows are left out; a deleted row counts as −1. */
export function addRows(parts: readonly Rows[]): Rows {
  const sums: Rows = {};
  for (const part of parts) {
    for (const [table, rows] of entriesOf(part)) {
      if (rows !== 0) sums[table] = (sums[table] ?? 0) + rows;
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
/** The head of a record: its JSON, and an entry for each tensor. */
const HEADER = 700;
const ENTRY = 110;
/** A checkpoint's manifest; a configuration or a tokenizer. */
const MANIFEST = 4_000;
const COMPANION = 100_000;
/** UTF-8 bytes of a token: the mean of common tokenizers; one of single characters has fewer. */
const TEXT = 4;
/** A SHA-256; the offset of a text; a seed. */
const DIGEST = 32;
const OFFSET = 8;
const SEED = 8;
/** A drawn prompt besides its tokens and texts: slot, hash, length, offsets of its four texts, domain. */
const DRAWN_PROMPT = 2 * NUMBER + DIGEST + 4 * OFFSET + 16;
/** A verdict: score, state, the extracted answer and its value with their offsets and states. */
const VERDICT = 9 + 2 * (OFFSET + 1) + 24;
/** A reference as JSON. */
const REFERENCE = 240;

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
  HEADER + 13 * ENTRY + responses * SEED + prompts * (DRAWN_PROMPT + (TEXT + NUMBER) * promptTokens);
/** Tokens and their log-probabilities with a SHA-256 each, lengths, and which were cut. */
const rolloutBytes = ({ responses, tokens }: Sampling) =>
  HEADER + 6 * ENTRY + (2 * NUMBER + 2 * DIGEST) * responses + 2 * NUMBER * tokens;
const textsBytes = ({ responses, tokens }: Sampling) =>
  HEADER + 2 * ENTRY + OFFSET * responses + TEXT * tokens;
const scoresBytes = (rewards: number, { responses }: Sampling) =>
  HEADER + REFERENCE + (3 + 12 * rewards) * ENTRY + (2 * NUMBER + 1 + rewards * VERDICT) * responses;
const logprobsBytes = (policies: number, { responses, tokens }: Sampling) =>
  HEADER + policies * (2 * ENTRY + DIGEST * responses + NUMBER * tokens);
/** What a reward model reads of the responses, each with its prompt, and what it scored. */
const modelScoringBytes = ({
  responses,
  tokens,
  promptTokens,
}: Pick<Sampling, 'responses' | 'tokens' | 'promptTokens'>) => [
  HEADER + 2 * ENTRY + NUMBER * (tokens + responses * (promptTokens + 2)),
  HEADER + 2 * REFERENCE + 2 * ENTRY + (NUMBER + 1) * responses,
];
/** References of every shard, and columns of all completions. */
const indexBytes = (shards: number, rewards: number, { prompts, responses }: Sampling) =>
  HEADER +
  shards * 4 * REFERENCE +
  (7 + 6 * rewards) * ENTRY +
  prompts * (3 * NUMBER + DIGEST) +
  responses * (2 * NUMBER + OFFSET + 9 * rewards);
const sampledObjects = (sampling: Sampling) => [
  requestBytes(sampling),
  rolloutBytes(sampling),
  textsBytes(sampling),
  scoresBytes(sampling.rewards, sampling),
];

/** Shards of whole groups: all of `size` prompts but the last, and tokens in proportion. */
function shardsOf(sampling: Sampling, sizes: readonly number[]): Sampling[] {
  const { prompts, responses, tokens } = sampling;
  return sizes.map((size) => ({
    ...sampling,
    prompts: size,
    responses: (responses / prompts) * size,
    tokens: (tokens / prompts) * size,
  }));
}

/** Of each change to the workflow that replays distinguish (`patched`): its marker, and the list of changes. */
const PATCH = 2;
/** Changes that every history of a stage marks. */
const PATCHES = 3;

/** A stage opens: it reads the plan and its position, and sets the status `running`. */
export const opening = (): Operation =>
  operation({ events: FRAME + 2 * ACTIVITY + ATTRIBUTES + PATCHES * PATCH });

/** A trainer loads a policy under a new lease term: claim it, wait for a turn, acquire, leave the queue. */
export const acquiring = (): Operation => operation({ events: 4 * ACTIVITY, rows: { terms: 1 } });

export const releasing = (): Operation => operation({ events: ACTIVITY });

/** The trainer is released, and the end is recorded and shown. */
export const ending = (): Operation => operation({ events: 2 * ACTIVITY + ATTRIBUTES });

/** Reward models of the run that score a rollout, and policies whose log-probabilities are computed separately. */
export interface RolloutExtras {
  models: number;
  policies: number;
  /** prompts of each shard */
  shardSizes: readonly number[];
}

/**
 * Of each shard: draw, sample, score; sequences and scores of each model, and all verdicts in one record;
 * log-probabilities. Then the index.
 */
export function rollout(sampling: Sampling, { models, policies, shardSizes }: RolloutExtras): Operation {
  const scorings = models === 0 ? 0 : 2 * models + 1;
  const { prompts, responses, tokens, rewards } = sampling;
  const shards = shardsOf(sampling, shardSizes);
  const judged = rewards + models;
  return operation({
    completions: responses,
    tokensSampled: tokens,
    tokensRead: (models + policies) * tokens,
    events: ACTIVITY * shards.length * (3 + scorings + Math.min(1, policies)),
    objects: [
      ...shards.flatMap((shard) => [
        ...sampledObjects(shard),
        ...Array.from({ length: models }, () => modelScoringBytes(shard)).flat(),
        ...(models === 0 ? [] : [scoresBytes(judged, shard)]),
        ...(policies === 0 ? [] : [logprobsBytes(policies, shard)]),
      ]),
      indexBytes(shards.length, judged, sampling),
    ],
    rows: { prompt_uses: prompts },
  });
}

/** The history of a stage that reward models score for marks that they do so by the training contract. */
export const scoredByModels = (): Operation => operation({ events: PATCH });

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
    objects: [3 * HEADER + 14 * ENTRY + responses * NUMBER * (promptTokens + 5) + perToken * NUMBER * tokens],
    rows: { batches: 1, steps: 1 },
  });

/** Staged, written and committed: weights, AdamW's two moments, the manifest; the reference where it changed. */
export const checkpoint = (parameters: number, { withReference }: { withReference: boolean }): Operation => {
  const weights = NUMBER * parameters;
  return operation({
    events: 3 * ACTIVITY + ATTRIBUTES,
    objects: [weights, 2 * weights, MANIFEST, ...(withReference ? [weights] : [])],
    rows: { checkpoints: 1 },
  });
};

/** Draw, sample and score each shard; statistics and the index. */
export function evaluation(sampling: Sampling, shardSizes: readonly number[]): Operation {
  const shards = shardsOf(sampling, shardSizes);
  return operation({
    evaluationCompletions: sampling.responses,
    tokensSampled: sampling.tokens,
    events: (3 * shards.length + 1) * ACTIVITY,
    objects: [...shards.flatMap(sampledObjects), indexBytes(shards.length, sampling.rewards, sampling)],
    rows: { evaluations: 1 },
  });
}

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

/** Held-out preferences, of one slice or more, are written as sequences, scored, and ranked by their scores. */
export const ranking = (
  slices: readonly Pick<Sampling, 'responses' | 'tokens' | 'promptTokens'>[],
): Operation =>
  operation({
    tokensRead: slices.reduce(
      (sum, { responses, tokens, promptTokens }) => sum + tokens + responses * promptTokens,
      0,
    ),
    events: (2 * slices.length + 1) * ACTIVITY + PATCH,
    objects: slices.flatMap(modelScoringBytes),
  });

/** The run's row and those of its stages, and its workflow's events: plan, status, and each stage's begin and end. */
export const launching = (stages: number): Operation =>
  operation({ events: FRAME + 2 * ACTIVITY + 9 * stages, rows: { runs: 1, stages, branches: stages } });
