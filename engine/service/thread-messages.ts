import type { PolicyService } from './policy-service.ts';

/** Methods of `PolicyService` that the engine's thread runs, by name. */
export type ServiceCalls = Pick<
  PolicyService,
  | 'readWeights'
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
 * The buffers of large arrays in a message: in the fields of its objects, or of the tensors in a field. They are moved,
 * since copying gigabytes would block both threads.
 */
export function largeFiles(values: readonly unknown[]): ArrayBuffer[] {
  const fields = values.flatMap(fieldsOf);
  const arrays = fields.flatMap((field) =>
    field instanceof Map ? [...field.values()].flatMap(fieldsOf) : [field],
  );
  return [...new Set(arrays.flatMap(wholeBuffer))];
}

const fieldsOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value) : [];

function wholeBuffer(value: unknown): ArrayBuffer[] {
  const isMoved = value instanceof Uint8Array || value instanceof Float32Array;
  if (!isMoved || !(value.buffer instanceof ArrayBuffer)) return [];
  const isLargeWhole = value.byteLength >= LARGE_BYTES && value.byteLength === value.buffer.byteLength;
  return isLargeWhole ? [value.buffer] : [];
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
