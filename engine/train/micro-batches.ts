/**
 * Cuts a batch into micro-batches of rows of similar length, and lays a micro-batch out in the arrays that the
 * graphs read. The rule is fixed: the same sequences are always cut in the same way, so that sums are added up in
 * the same order.
 *
 * Axes: B rows, T positions, N = B·T, R scored tokens, S sequences (B where each has its own row).
 */
import { packFirstFitDecreasing } from '../../algorithm/rl/packing.ts';

export interface Sequence {
  /** At least one token: the first completion token is predicted from the last of these. */
  promptTokens: Int32Array;
  completionTokens: Int32Array;
}

/** Rows are padded to a multiple of this, so that lengths repeat and kernels work on whole vectors. */
const LENGTH_MULTIPLE = 8;

export interface MicroBatch {
  /** B rows, each with the indices into the batch of its sequences, in order. */
  rows: readonly (readonly number[])[];
  /** T: positions of each row. */
  length: number;
}

/** Indices into the batch, in the micro-batch's order. */
export const membersOf = ({ rows }: MicroBatch): readonly number[] => rows.flat();

/** Positions of a sequence that predict a token: all but the last. */
function inputLength({ promptTokens, completionTokens }: Sequence): number {
  return promptTokens.length + completionTokens.length - 1;
}

function padded(length: number): number {
  return Math.ceil(length / LENGTH_MULTIPLE) * LENGTH_MULTIPLE;
}

/** One sequence per row: sorts by length (equal lengths in batch order) and cuts where another row would exceed `maxTokens`. */
export function planMicroBatches(sequences: readonly Sequence[], maxTokens: number): MicroBatch[] {
  return cutByLength(
    sequences.map((sequence, index) => ({ rows: [[index]], length: padded(inputLength(sequence)) })),
    maxTokens,
  );
}

/** The same of sequences 2i and 2i + 1, which stay together. */
export function planPairs(sequences: readonly Sequence[], maxTokens: number): MicroBatch[] {
  const lengths = sequences.map((sequence) => padded(inputLength(sequence)));
  const pairs = Array.from({ length: sequences.length / 2 }, (_, pair) => ({
    rows: [[2 * pair], [2 * pair + 1]],
    length: Math.max(lengths[2 * pair] ?? 0, lengths[2 * pair + 1] ?? 0),
  }));
  return cutByLength(pairs, maxTokens);
}

/** Several sequences per row; rows are as long as the longest sequence, for the least cost of attention. */
export function planPacked(sequences: readonly Sequence[], maxTokens: number): MicroBatch[] {
  const lengths = sequences.map(inputLength);
  const packed = packFirstFitDecreasing(lengths, padded(Math.max(0, ...lengths)));
  const rows = packed.map((row) => ({
    rows: [row],
    length: padded(row.reduce((sum, index) => sum + (lengths[index] ?? 0), 0)),
  }));
  return cutByLength(rows, maxTokens);
}

/** Joins blocks of rows in order of their length, blocks of equal length in their order. */
function cutByLength(blocks: readonly MicroBatch[], maxTokens: number): MicroBatch[] {
  const plans: { rows: (readonly number[])[]; length: number }[] = [];
  for (const { rows, length } of blocks.toSorted((a, b) => a.length - b.length)) {
    const last = plans.at(-1);
    if (last && (last.rows.length + rows.length) * length <= maxTokens) {
      last.rows.push(...rows);
      last.length = length;
    } else {
      plans.push({ rows: [...rows], length });
    }
  }
  return plans;
}

/** A sequence's location in a micro-batch: b·T + t of its first position, and its number of positions. */
interface PackedSequence {
  sequence: Sequence;
  start: number;
  length: number;
}

/** The location of each member, in the micro-batch's order. */
function packedSequences(sequences: readonly Sequence[], { rows, length: T }: MicroBatch): PackedSequence[] {
  return rows.flatMap((row, b) => {
    let start = b * T;
    return row.flatMap((index) => {
      const sequence = sequences[index];
      if (sequence === undefined) return [];
      const location = { sequence, start, length: inputLength(sequence) };
      start += location.length;
      return [location];
    });
  });
}

/** The integer inputs of a graph for one micro-batch. */
export interface MicroBatchArrays {
  /** [B, T]; padding is token 0. */
  tokens: BigInt64Array;
  /** [R], b·T + t of the position that predicts each scored token. */
  rows: BigInt64Array;
  /** [N], the index of each position in `rows`, or R. */
  rowsInverse: BigInt64Array;
  /** [R], the scored tokens. */
  targets: BigInt64Array;
  /** [R], the member in the micro-batch's order that each scored token belongs to. */
  sequenceOf: BigInt64Array;
  /** [S], 1 ÷ scored tokens of each sequence. */
  tokenShares: Float32Array;
}

export function layOut(sequences: readonly Sequence[], microBatch: MicroBatch): MicroBatchArrays {
  const members = packedSequences(sequences, microBatch);
  const positions = microBatch.rows.length * microBatch.length;
  const scored = members.reduce((sum, { sequence }) => sum + sequence.completionTokens.length, 0);
  const arrays: MicroBatchArrays = {
    tokens: new BigInt64Array(positions),
    rows: new BigInt64Array(scored),
    rowsInverse: new BigInt64Array(positions).fill(BigInt(scored)),
    targets: new BigInt64Array(scored),
    sequenceOf: new BigInt64Array(scored),
    tokenShares: Float32Array.from(
      members,
      ({ sequence }) => 1 / Math.max(sequence.completionTokens.length, 1),
    ),
  };
  let r = 0;
  members.forEach(({ sequence, start }, s) => {
    writeTokens(arrays.tokens, start, sequence);
    const first = start + sequence.promptTokens.length - 1;
    sequence.completionTokens.forEach((token, t) => {
      arrays.rows[r] = BigInt(first + t);
      arrays.rowsInverse[first + t] = BigInt(r);
      arrays.targets[r] = BigInt(token);
      arrays.sequenceOf[r] = BigInt(s);
      r += 1;
    });
  });
  return arrays;
}

/** Writes every token but the last, which predicts nothing. */
function writeTokens(tokens: BigInt64Array, offset: number, sequence: Sequence): void {
  const { promptTokens, completionTokens } = sequence;
  promptTokens.forEach((token, t) => {
    tokens[offset + t] = BigInt(token);
  });
  const start = offset + promptTokens.length;
  completionTokens.subarray(0, -1).forEach((token, t) => {
    tokens[start + t] = BigInt(token);
  });
}

/** Inputs that separate the sequences of a row. */
export interface PackedArrays {
  /** [B, T], counted from 0 in each sequence. */
  positions: BigInt64Array;
  /** [B, T, T]: 0 where row and column are of one sequence and the column is not after the row, else −∞. */
  attentionMask: Float32Array;
}

export function layOutPacked(sequences: readonly Sequence[], microBatch: MicroBatch): PackedArrays {
  const { rows, length: T } = microBatch;
  const positions = new BigInt64Array(rows.length * T);
  const attentionMask = new Float32Array(rows.length * T * T).fill(Number.NEGATIVE_INFINITY);
  // Padding attends to itself: a row of the mask without a zero would have no softmax.
  for (let n = 0; n < rows.length * T; n += 1) attentionMask[n * T + (n % T)] = 0;
  for (const { start, length } of packedSequences(sequences, microBatch)) {
    for (let t = 0; t < length; t += 1) {
      const n = start + t;
      positions[n] = BigInt(t);
      attentionMask.fill(0, n * T + (start % T), n * T + (start % T) + t + 1);
    }
  }
  return { positions, attentionMask };
}

/** Concatenates the members' per-token values, [R]. */
export function flatten(perSequence: readonly Float32Array[], microBatch: MicroBatch): Float32Array {
  const chosen = membersOf(microBatch).map((index) => perSequence[index] ?? new Float32Array());
  const flat = new Float32Array(chosen.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const values of chosen) {
    flat.set(values, offset);
    offset += values.length;
  }
  return flat;
}

/** The inverse: copies a flat [R] array into each member's own. */
export function unflatten(
  flat: Float32Array,
  microBatch: MicroBatch,
  perSequence: readonly Float32Array[],
): void {
  let offset = 0;
  for (const index of membersOf(microBatch)) {
    const values = perSequence[index] ?? new Float32Array();
    values.set(flat.subarray(offset, offset + values.length));
    offset += values.length;
  }
}
