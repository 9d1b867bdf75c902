/** A piece of a run's work and what it leaves behind. The size of a run is the sum of its operations. */

/** Bytes that a row takes in Postgres, rounded up: about half of them are the row's own, the rest indexes and room. */
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
/** How many, by table. */
export type Rows = Partial<Record<Table, number>>;

export interface Operation {
  /** sampled to be trained on, or to become examples */
  completions: number;
  /** sampled to measure a policy */
  evaluationCompletions: number;
  tokensSampled: number;
  /** of responses that steps train on; of a reward model, of prompts too */
  tokensTrained: number;
  /** of responses read once more without a gradient: log-probabilities apart from training, reward models */
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

export const operation = (part: Partial<Operation>): Operation => ({ ...nothing, ...part });

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

/** The same rows so many times. */
export const timesRows = (rows: Rows, times: number): Rows =>
  Object.fromEntries(entriesOf(rows).map(([table, number]) => [table, times * number]));

export const rowBytes = (rows: Rows): number =>
  entriesOf(rows).reduce((sum, [table, count]) => sum + count * bytesOfRow[table], 0);

const entriesOf = (rows: Rows) => Object.entries(rows) as [Table, number][];
