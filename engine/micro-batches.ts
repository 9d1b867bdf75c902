/**
 * Cuts a batch into micro-batches of sequences of like length, and lays one out in the
 * arrays that the graphs take. The rule is fixed: the same sequences are always cut the same
 * way, so that sums are added up in the same order.
 *
 * Axes: B sequences, T positions, N = B·T, R scored tokens, S = B.
 */

export interface Sequence {
  /** At least one token: the first completion token is predicted from the last of these. */
  promptTokens: Int32Array;
  completionTokens: Int32Array;
}

/** Rows are padded to a multiple of this, so that lengths repeat and kernels work on whole vectors. */
const LENGTH_MULTIPLE = 8;

export interface MicroBatch {
  /** Indices into the batch, in the micro-batch's order. */
  members: readonly number[];
  /** T: positions of each row. */
  length: number;
}

/** Positions of a sequence that predict something: all but the last. */
function inputLength({ promptTokens, completionTokens }: Sequence): number {
  return promptTokens.length + completionTokens.length - 1;
}

function padded(length: number): number {
  return Math.ceil(length / LENGTH_MULTIPLE) * LENGTH_MULTIPLE;
}

/** Sorts by length (equal lengths in batch order) and cuts where a row more would pass `maxTokens`. */
export function planMicroBatches(sequences: readonly Sequence[], maxTokens: number): MicroBatch[] {
  const lengths = sequences.map((sequence) => padded(inputLength(sequence)));
  const order = sequences.map((_, index) => index);
  order.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const plans: { members: number[]; length: number }[] = [];
  for (const index of order) {
    const length = lengths[index] ?? 0;
    const last = plans.at(-1);
    if (last && (last.members.length + 1) * length <= maxTokens) {
      last.members.push(index);
      last.length = length;
    } else {
      plans.push({ members: [index], length });
    }
  }
  return plans;
}

/** The integer inputs of a graph for one micro-batch. */
export interface MicroBatchArrays {
  /** [B, T]; padding is token 0. */
  tokens: BigInt64Array;
  /** [R], b·T + t of the position that predicts each scored token. */
  rows: BigInt64Array;
  /** [N], the place of each position in `rows`, or R. */
  rowsInverse: BigInt64Array;
  /** [R], the scored tokens. */
  targets: BigInt64Array;
  /** [R], the row in the micro-batch of each scored token. */
  sequenceOf: BigInt64Array;
  /** [S], 1 ÷ scored tokens of each sequence. */
  tokenShares: Float32Array;
}

export function layOut(sequences: readonly Sequence[], { members, length }: MicroBatch): MicroBatchArrays {
  const chosen = members.map((index) => sequences[index]).filter((sequence) => sequence !== undefined);
  const scored = chosen.reduce((sum, { completionTokens }) => sum + completionTokens.length, 0);
  const arrays: MicroBatchArrays = {
    tokens: new BigInt64Array(chosen.length * length),
    rows: new BigInt64Array(scored),
    rowsInverse: new BigInt64Array(chosen.length * length).fill(BigInt(scored)),
    targets: new BigInt64Array(scored),
    sequenceOf: new BigInt64Array(scored),
    tokenShares: Float32Array.from(
      chosen,
      ({ completionTokens }) => 1 / Math.max(completionTokens.length, 1),
    ),
  };
  let r = 0;
  chosen.forEach((sequence, b) => {
    placeTokens(arrays.tokens, b * length, sequence);
    const first = b * length + sequence.promptTokens.length - 1;
    sequence.completionTokens.forEach((token, t) => {
      arrays.rows[r] = BigInt(first + t);
      arrays.rowsInverse[first + t] = BigInt(r);
      arrays.targets[r] = BigInt(token);
      arrays.sequenceOf[r] = BigInt(b);
      r += 1;
    });
  });
  return arrays;
}

/** Writes every token but the last, which predicts nothing. */
function placeTokens(tokens: BigInt64Array, offset: number, sequence: Sequence): void {
  const { promptTokens, completionTokens } = sequence;
  promptTokens.forEach((token, t) => {
    tokens[offset + t] = BigInt(token);
  });
  const start = offset + promptTokens.length;
  completionTokens.subarray(0, -1).forEach((token, t) => {
    tokens[start + t] = BigInt(token);
  });
}

/** Lays the members' per-token values end to end, [R]. */
export function flatten(perSequence: readonly Float32Array[], { members }: MicroBatch): Float32Array {
  const chosen = members.map((index) => perSequence[index] ?? new Float32Array());
  const flat = new Float32Array(chosen.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const values of chosen) {
    flat.set(values, offset);
    offset += values.length;
  }
  return flat;
}

/** The way back: copies a flat [R] array into each member's own. */
export function unflatten(
  flat: Float32Array,
  { members }: MicroBatch,
  perSequence: readonly Float32Array[],
): void {
  let offset = 0;
  for (const index of members) {
    const values = perSequence[index] ?? new Float32Array();
    values.set(flat.subarray(offset, offset + values.length));
    offset += values.length;
  }
}
