import type { Tensor } from '../contracts/format/dtypes.ts';

/**
 * Sequences of different lengths, concatenated in one array, and an array of their lengths.
 * Axes: N = sequences, T = tokens of all of them.
 */

/** Cuts a flat array [T] into its N sequences; views, no copies. */
export function split<A extends Int32Array | Float32Array>(flatT: A, lengthsN: Int32Array): A[] {
  let offset = 0;
  return Array.from(lengthsN, (length) => {
    offset += length;
    return flatT.subarray(offset - length, offset) as A;
  });
}

/** Joins integer sequences into one array [T]. */
export function joinInts(sequences: readonly ArrayLike<number>[]): Int32Array {
  return fill(new Int32Array(total(sequences)), sequences);
}

/** Joins float sequences into one array [T]. */
export function joinFloats(sequences: readonly ArrayLike<number>[]): Float32Array {
  return fill(new Float32Array(total(sequences)), sequences);
}

export const lengthsOf = (sequences: readonly ArrayLike<number>[]): Int32Array =>
  Int32Array.from(sequences, ({ length }) => length);

const total = (sequences: readonly ArrayLike<number>[]) =>
  sequences.reduce((sum, { length }) => sum + length, 0);

function fill<A extends Int32Array | Float32Array>(flatT: A, sequences: readonly ArrayLike<number>[]): A {
  let offset = 0;
  for (const sequence of sequences) {
    flatT.set(sequence, offset);
    offset += sequence.length;
  }
  return flatT;
}

/** The tensors of prompts and their completions in a batch. */
export const sequenceTensors = (
  promptsN: readonly ArrayLike<number>[],
  completionsN: readonly ArrayLike<number>[],
): [string, Tensor][] => [
  ['promptTokens', ints(joinInts(promptsN))],
  ['promptLengths', ints(lengthsOf(promptsN))],
  ['completionTokens', ints(joinInts(completionsN))],
  ['completionLengths', ints(lengthsOf(completionsN))],
];

/** A one-dimensional tensor of a record. */
export const ints = (data: Int32Array): Tensor => ({ dtype: 'I32', shape: [data.length], data });
export const floats = (data: Float32Array): Tensor => ({ dtype: 'F32', shape: [data.length], data });
