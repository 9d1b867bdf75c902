/** How large a run is, stage by stage, counted before it starts. What a launch imports is not counted. */
import { addRows, type Deed, type Rows, rowBytes, sumOf } from './deed.ts';
import { launching } from './deeds.ts';
import type { RunFacts } from './facts.ts';
import { type HistorySize, historySize } from './history.ts';
import { momentsOf } from './moments.ts';

export interface PartSize {
  steps: number;
  completions: number;
  evaluationCompletions: number;
  tokensSampled: number;
  tokensTrained: number;
  tokensRead: number;
  objects: number;
  s3Bytes: number;
  /** bytes */
  largestObject: number;
  /** by table; `dataset_rows` at most */
  rows: Rows;
  postgresBytes: number;
  history: HistorySize;
}

export interface RunSize {
  /** in the recipe's order */
  stages: (PartSize & { stage: string })[];
  /** with the run's own rows and workflow */
  total: PartSize;
}

export function runSize(facts: RunFacts): RunSize {
  const stages = facts.recipe.stages.map((recipe) => {
    const moments = momentsOf(recipe, facts);
    const done = sumOf(moments.map((moment) => moment.done));
    return { stage: recipe.stage, ...partOf(done, recipe.options.max_steps, historySize(moments)) };
  });
  const run = launching(stages.length);
  const own = partOf(run, 0, { events: run.events, histories: 1, longest: run.events });
  return { stages, total: totalOf([own, ...stages]) };
}

function partOf({ objects, events: _, ...done }: Deed, steps: number, history: HistorySize): PartSize {
  return {
    steps,
    ...done,
    objects: objects.length,
    s3Bytes: objects.reduce((sum, bytes) => sum + bytes, 0),
    largestObject: objects.reduce((most, bytes) => Math.max(most, bytes), 0),
    postgresBytes: rowBytes(done.rows),
    history,
  };
}

function totalOf(parts: readonly PartSize[]): PartSize {
  const sum = (of: (part: PartSize) => number) => parts.reduce((total, part) => total + of(part), 0);
  const most = (of: (part: PartSize) => number) => parts.reduce((top, part) => Math.max(top, of(part)), 0);
  return {
    steps: sum(({ steps }) => steps),
    completions: sum(({ completions }) => completions),
    evaluationCompletions: sum(({ evaluationCompletions }) => evaluationCompletions),
    tokensSampled: sum(({ tokensSampled }) => tokensSampled),
    tokensTrained: sum(({ tokensTrained }) => tokensTrained),
    tokensRead: sum(({ tokensRead }) => tokensRead),
    objects: sum(({ objects }) => objects),
    s3Bytes: sum(({ s3Bytes }) => s3Bytes),
    largestObject: most(({ largestObject }) => largestObject),
    rows: addRows(parts.map(({ rows }) => rows)),
    postgresBytes: sum(({ postgresBytes }) => postgresBytes),
    history: {
      events: sum(({ history }) => history.events),
      histories: sum(({ history }) => history.histories),
      longest: most(({ history }) => history.longest),
    },
  };
}

/** Tokens a second of one device. */
export interface Rates {
  sampling: number;
  training: number;
}

/** A step passes forward once and backward at twice the cost: reading alone goes at three times its rate. */
const PASSES_OF_A_STEP = 3;

/** Seconds of one device that samples and trains at these rates. */
export function deviceSeconds(
  {
    tokensSampled,
    tokensTrained,
    tokensRead,
  }: Pick<PartSize, 'tokensSampled' | 'tokensTrained' | 'tokensRead'>,
  { sampling, training }: Rates,
): number {
  return tokensSampled / sampling + tokensTrained / training + tokensRead / (PASSES_OF_A_STEP * training);
}
