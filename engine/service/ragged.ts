/** Sequences of different lengths in one array, and their lengths. */
export interface Ragged<A> {
  flat: A;
  lengths: Int32Array;
}

export function joined(sequences: readonly Int32Array[]): Ragged<Int32Array> {
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const flat = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const sequence of sequences) {
    flat.set(sequence, offset);
    offset += sequence.length;
  }
  return { flat, lengths };
}

export function joinFloats(arrays: readonly Float32Array[]): Float32Array {
  const flat = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    flat.set(array, offset);
    offset += array.length;
  }
  return flat;
}
