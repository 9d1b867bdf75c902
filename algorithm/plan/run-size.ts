/**
 * How large a run is, stage by stage, computed before it starts; and how long a stage's histories in Temporal grow: a
 * long history ends, and the stage continues in a new one. What a launch imports is not counted.
 */

import {
  acquiring,
  addRows,
  launching,
  type Operation,
  opening,
  type Rows,
  readingExamples,
  releasing,
  rowBytes,
  timesRows,
} from './operations.ts';
import { type RunFacts, type Segment, segmentsOf } from './stage-segments.ts';

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

/** Operations and how often each happens. */
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

/** A step is a forward pass and a backward pass of twice its cost: a forward pass alone is three times as fast. */
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

/** The server terminates a workflow whose history grows beyond this. */
export const MOST_EVENTS = 51_200;
/** Bytes of an event with its payload, measured in recorded histories. */
export const BYTES_OF_EVENT = 640;

/** From this number of events on, the server suggests a new history. */
const SUGGESTED = 4_096;
/** From this number on, a stage begins a new one even without a planned checkpoint (`workflows/stage.ts`). */
const OVERDUE = 10_000;

/** A history of at least this many events ends after a segment of this kind. */
const endsFrom: Record<Segment['at'], number> = {
  checkpoint: SUGGESTED,
  part: SUGGESTED,
  step: OVERDUE,
  other: Number.POSITIVE_INFINITY,
};

/** Events at the start of the next history; a stage that samples releases its trainer before and acquires one again. */
const begins: Record<Segment['at'], number> = {
  checkpoint: opening().events,
  part: opening().events + readingExamples().events + releasing().events + acquiring().events,
  step: opening().events,
  other: 0,
};

interface HistorySize {
  events: number;
  /** number of histories */
  histories: number;
  /** events of the longest one */
  longest: number;
}

function historySize(segments: readonly Segment[]): HistorySize {
  const ended: number[] = [];
  let events = 0;
  for (const { done, at } of segments) {
    events += done.events;
    if (events < endsFrom[at]) continue;
    ended.push(events);
    events = begins[at];
  }
  const all = [...ended, events];
  return {
    events: all.reduce((sum, each) => sum + each, 0),
    histories: all.length,
    longest: all.reduce((most, each) => Math.max(most, each), 0),
  };
}
