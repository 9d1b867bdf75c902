import type { PolicyService } from './policy-service.ts';

/** Methods of `PolicyService` that the engine's thread runs, by name. */
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
  | 'stage'
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

/** Smaller files are copied, at negligible cost. */
const LARGE_BYTES = 2 ** 20;

/**
 * The buffers of large files in a message, found in the fields of its objects. They are moved, since copying gigabytes
 * would block both threads.
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

/** Int32 cells of a SharedArrayBuffer that both threads read and write. */
export const sharedCells = {
  /** 1: the running call must stop */
  stop: 0,
  /** units of the phase that are done */
  done: 1,
  /** of all units */
  of: 2,
  /** tokens computed by the running call */
  tokens: 3,
  /** while this is n > 0, the running call waits once n completions have ended */
  hold: 4,
  /** index in `PHASES` of what the running call does */
  phase: 5,
} as const;

export interface ThreadData {
  threads: number;
  cells: Int32Array;
}
