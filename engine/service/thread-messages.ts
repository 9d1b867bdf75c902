import type { PolicyService } from './policy-service.ts';

/** Calls that cross to the engine's thread: `PolicyService`'s, by name. */
export type ServiceCalls = Pick<
  PolicyService,
  | 'load'
  | 'sample'
  | 'logprobs'
  | 'train'
  | 'trainSupervised'
  | 'loadScorer'
  | 'dropScorer'
  | 'score'
  | 'export'
  | 'release'
>;

export interface CallMessage {
  id: number;
  name: keyof ServiceCalls;
  args: unknown[];
}

export type AnswerMessage =
  | { id: number; result: unknown }
  | { id: number; error: { name: string; message: string; stack: string | undefined } };

/** Smaller ones are copied; that costs nothing. */
const LARGE_BYTES = 2 ** 20;

/**
 * The buffers of a message's large files that can be moved whole: copied, gigabytes would stop both threads. Looked at
 * are the fields of its objects.
 */
export function largeFiles(values: readonly unknown[]): ArrayBuffer[] {
  const fields = values.flatMap((value) =>
    typeof value === 'object' && value !== null ? Object.values(value) : [],
  );
  return [...new Set(fields.flatMap((field) => (isWholeBuffer(field) ? [field.buffer] : [])))];
}

function isWholeBuffer(value: unknown): value is Uint8Array<ArrayBuffer> {
  return (
    value instanceof Uint8Array &&
    value.byteLength >= LARGE_BYTES &&
    value.byteLength === value.buffer.byteLength &&
    value.buffer instanceof ArrayBuffer
  );
}

/** What the two threads share: Int32 cells of one SharedArrayBuffer. */
export const sharedCells = {
  /** 1: the call under way is to stop */
  stop: 0,
  /** completions that have ended, of the call under way */
  finished: 1,
  /** tokens drawn by the call under way */
  tokens: 2,
  /** while this is n > 0, the call under way waits as soon as n completions have ended */
  hold: 3,
} as const;

export interface ThreadData {
  threads: number;
  cells: Int32Array;
}
