/** Texts as two tensors: `NAME` U8, in UTF-8 one after the other, and `NAME.offsets` I64 [rows+1]. Pure functions. */
import type { Tensor } from './dtypes.ts';

export const offsetsOf = (name: string) => `${name}.offsets`;

/** The tensors of a text column. */
export function textColumn(name: string, rows: readonly string[]): [string, Tensor][] {
  const encoder = new TextEncoder();
  const parts = rows.map((row) => encoder.encode(row));
  const offsets = new BigInt64Array(rows.length + 1);
  let end = 0;
  for (const [row, { length }] of parts.entries()) {
    end += length;
    offsets[row + 1] = BigInt(end);
  }
  const bytes = new Uint8Array(end);
  for (const [row, part] of parts.entries()) bytes.set(part, Number(offsets[row]));
  return [
    [name, { dtype: 'U8', shape: [end], data: bytes }],
    [offsetsOf(name), { dtype: 'I64', shape: [offsets.length], data: offsets }],
  ];
}

/** The texts of a column. Throws RangeError where offsets are not ascending from 0 to the end, or bytes are not UTF-8. */
export function textsOf(name: string, bytes: Uint8Array, offsets: BigInt64Array): string[] {
  const problem = offsetsProblem(bytes.length, offsets);
  if (problem !== null) throw new RangeError(`${offsetsOf(name)}: ${problem}`);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return Array.from({ length: offsets.length - 1 }, (_, row) => {
    try {
      return decoder.decode(bytes.subarray(Number(offsets[row]), Number(offsets[row + 1])));
    } catch {
      throw new RangeError(`${name}: expected UTF-8, found other bytes in row ${row}`);
    }
  });
}

function offsetsProblem(size: number, offsets: BigInt64Array): string | null {
  if (offsets.length === 0 || offsets[0] !== 0n) return `expected the first to be 0, found ${offsets[0]}`;
  for (let row = 1; row < offsets.length; row++) {
    const [before = 0n, offset = 0n] = [offsets[row - 1], offsets[row]];
    if (offset < before)
      return `expected ascending offsets, found ${offset} after ${before} in row ${row - 1}`;
  }
  const last = offsets.at(-1);
  return last === BigInt(size) ? null : `expected the last to be ${size}, found ${last}`;
}
