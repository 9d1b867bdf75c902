/**
 * The digest of a set of tensors. It identifies a part of a checkpoint, independent of files and shards. For each tensor, sorted by name (UTF-16 code units), one line of JSON without spaces,
 *
 *     ["<name>","<stored dtype>",[<shape>],"<SHA-256 of the tensor's little-endian bytes, lower-case hex>"]\n
 *
 * and the digest is the SHA-256 of those lines' UTF-8 bytes, in lower-case hex.
 *
 * Test vector: {"b": F32[2] = 1, -2 · "a": F32[1,1] = 0.5} has the two lines
 *
 *     ["a","F32",[1,1],"d99e58435243d9fef9c88273b8d553b4fba4d0baf8009d29eae74fa99e0d9f57"]
 *     ["b","F32",[2],"ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b"]
 *
 * and the digest 6479833fabdabf003c261f4b2c790ac289215e48bc9d9fdc11fd5e4af165a3ae. `contracts/vectors/digests.json` has
 * more. This engine's weights are F32 in memory and in its files.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { littleEndianBytes, type Tensor } from '../../contracts/format/dtypes.ts';

/** A tensor whose dtype is F32 unless it says so. */
type DigestedTensor = Pick<Tensor, 'shape' | 'data'> & Partial<Pick<Tensor, 'dtype'>>;

/** The digest of tensors, lower-case hex. The map's own order does not matter. */
export function digestTensors(
  tensors: ReadonlyMap<string, DigestedTensor>,
  onTensor: () => void = () => undefined,
): string {
  const hash = createHash('sha256');
  for (const [name, { shape, data, dtype }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(digestLine(name, shape, data, dtype));
    onTensor();
  }
  return hash.digest('hex');
}

/** Bytes hashed between two turns of the event loop: about ten milliseconds of work. */
const PIECE_BYTES = 8 * 2 ** 20;

/** The same; other work of the thread runs meanwhile. */
export async function digestInPieces(
  tensors: ReadonlyMap<string, Tensor<'F32'>>,
  onTensor: () => void = () => undefined,
): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = littleEndianBytes(data);
    const own = createHash('sha256');
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      own.update(bytes.subarray(from, from + PIECE_BYTES));
      await nextTurn();
    }
    hash.update(lineOf(name, shape, own.digest('hex')));
    onTensor();
  }
  return hash.digest('hex');
}

/** One tensor's line of the digest. */
export function digestLine(
  name: string,
  shape: readonly number[],
  data: Tensor['data'],
  dtype: Tensor['dtype'] = 'F32',
): string {
  return lineOf(name, shape, createHash('sha256').update(littleEndianBytes(data)).digest('hex'), dtype);
}

/** The same where the hash of the tensor's bytes is known. */
export const lineOf = (
  name: string,
  shape: readonly number[],
  sha256: string,
  dtype: Tensor['dtype'] = 'F32',
) => `${JSON.stringify([name, dtype, shape, sha256])}\n`;
