/** How large a run is, stage by stage, counted before it starts. What a launch imports is not counted. */

import type { RunFacts } from './facts.ts';
import { type HistorySize, historySize } from './history.ts';
import { addRows, type Operation, type Rows, rowBytes, timesRows } from './operation.ts';
import { launching } from './operations.ts';
import { type Segment, segmentsOf } from './stage-segments.ts';

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
    const segments = segmentsOf(recipe, facts);
    const history = historySize(segments);
    return { stage: recipe.stage, ...partOf(counted(segments), recipe.options.max_steps, history) };
  });
  const run = launching(stages.length);
  const own = partOf(new Map([[run, 1]]), 0, { events: run.events, histories: 1, longest: run.events });
  return { stages, total: totalOf([own, ...stages]) };
}

/** What is done, and how often. */
type Counted = ReadonlyMap<Operation, number>;

function counted(segments: readonly Segment[]): Counted {
  const times = new Map<Operation, number>();
  for (const { done } of segments) times.set(done, (times.get(done) ?? 0) + 1);
  return times;
}

function partOf(done: Counted, steps: number, history: HistorySize): PartSize {
  const sum = (of: (operation: Operation) => number) =>
    [...done].reduce((total, [operation, times]) => total + times * of(operation), 0);
  const rows = addRows([...done].map(([operation, times]) => timesRows(operation.rows, times)));
  return {
    steps,
    completions: sum(({ completions }) => completions),
    evaluationCompletions: sum(({ evaluationCompletions }) => evaluationCompletions),
    tokensSampled: sum(({ tokensSampled }) => tokensSampled),
    tokensTrained: sum(({ tokensTrained }) => tokensTrained),
    tokensRead: sum(({ tokensRead }) => tokensRead),
    objects: sum(({ objects }) => objects.length),
    s3Bytes: sum(({ objects }) => objects.reduce((bytes, object) => bytes + object, 0)),
    largestObject: [...done.keys()]
      .flatMap(({ objects }) => objects)
      .reduce((most, bytes) => Math.max(most, bytes), 0),
    rows,
    postgresBytes: rowBytes(rows),
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
