/**
 * How large a run is, stage by stage, computed before it starts; and how long a stage's histories in Temporal grow: a
 * long history ends, and the stage continues in a new one. What a launch imports is not counted.
 */

import type { KeptCheckpoints } from './kept-checkpoints.ts';
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
import { checkpointsLeft, type RunFacts, type Segment, segmentsOf } from './stage-segments.ts';

export interface PartSize {
  steps: number;
  completions: number;
  evaluationCompletions: number;
  tokensSampled: number;
  tokensTrained: number;
  tokensRead: number;
  /** written; this and the bytes */
  objects: number;
  s3Bytes: number;
  /** bytes that are there at most, and at the end, where checkpoints are deleted */
  s3PeakBytes: number;
  s3FinalBytes: number;
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
    const part = partOf(counted(segments), recipe.options.max_steps, history);
    return { stage: recipe.stage, ...withRetention(part, checkpointsLeft(recipe, facts)) };
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

/** Deletes what the stage's limits do not keep. */
function withRetention(part: PartSize, left: KeptCheckpoints): PartSize {
  const { saved, kept, writtenBytes, peakBytes, finalBytes } = left;
  const others = part.s3Bytes - writtenBytes;
  const rows = addRows([part.rows, { checkpoints: kept - saved, deleted_checkpoints: saved - kept }]);
  return {
    ...part,
    s3PeakBytes: others + peakBytes,
    s3FinalBytes: others + finalBytes,
    rows,
    postgresBytes: rowBytes(rows),
  };
}

function partOf(done: Counted, steps: number, history: HistorySize): PartSize {
  const sum = (of: (operation: Operation) => number) =>
    [...done].reduce((total, [operation, times]) => total + times * of(operation), 0);
  const rows = addRows([...done].map(([operation, times]) => timesRows(operation.rows, times)));
  const s3Bytes = sum(({ objects }) => objects.reduce((bytes, object) => bytes + object, 0));
  return {
    steps,
    completions: sum(({ completions }) => completions),
    evaluationCompletions: sum(({ evaluationCompletions }) => evaluationCompletions),
    tokensSampled: sum(({ tokensSampled }) => tokensSampled),
    tokensTrained: sum(({ tokensTrained }) => tokensTrained),
    tokensRead: sum(({ tokensRead }) => tokensRead),
    objects: sum(({ objects }) => objects.length),
    s3Bytes,
    s3PeakBytes: s3Bytes,
    s3FinalBytes: s3Bytes,
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
    s3PeakBytes: peakOf(parts),
    s3FinalBytes: sum(({ s3FinalBytes }) => s3FinalBytes),
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

/** Of stages one after the other: what the stages before have left, and the peak of one. */
function peakOf(parts: readonly PartSize[]): number {
  let [before, peak] = [0, 0];
  for (const { s3PeakBytes, s3FinalBytes } of parts) {
    peak = Math.max(peak, before + s3PeakBytes);
    before += s3FinalBytes;
  }
  return peak;
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
