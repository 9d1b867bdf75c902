/** How long a stage's histories in Temporal grow: a long one is ended, and the stage goes on in the next. */
import { acquiring, opening, readingExamples, releasing } from './operations.ts';
import type { Segment } from './stage-segments.ts';

/** A server ends a longer history, and with it the workflow. */
export const MOST_EVENTS = 51_200;
/** Of an event with its payload, in recorded histories. */
export const BYTES_OF_EVENT = 640;

/** From here on the server suggests to go on in a new history. */
const SUGGESTED = 4_096;
/** From here on a stage does so without a planned checkpoint (`workflows/stage.ts`). */
const OVERDUE = 10_000;

/** Events from which on a history ends at such a segment. */
const endsFrom: Record<Segment['at'], number> = {
  checkpoint: SUGGESTED,
  part: SUGGESTED,
  step: OVERDUE,
  other: Number.POSITIVE_INFINITY,
};

/** Events with which the next one begins; who samples gives the trainer back before and takes one again. */
const begins: Record<Segment['at'], number> = {
  checkpoint: opening().events,
  part: opening().events + readingExamples().events + releasing().events + acquiring().events,
  step: opening().events,
  other: 0,
};

export interface HistorySize {
  events: number;
  /** how many histories it is */
  histories: number;
  /** events of the longest one */
  longest: number;
}

export function historySize(segments: readonly Segment[]): HistorySize {
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
