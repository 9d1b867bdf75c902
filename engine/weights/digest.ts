/**
 * The digest of a set of tensors. It identifies a part of a checkpoint, independent of files and shards. For each tensor, sorted by name (UTF-16 code units), one line of JSON without spaces,
 *
 *     ["<name>","F32",[<shape>],"<SHA-256 of the tensor's little-endian bytes, lower-case hex>"]\n
 *
 * and the digest is the SHA-256 of those lines' UTF-8 bytes, in lower-case hex.
 *
 * Test vector: {"b": F32[2] = 1, -2 · "a": F32[1,1] = 0.5} has the two lines
 *
 *     ["a","F32",[1,1],"d99e58435243d9fef9c88273b8d553b4fba4d0baf8009d29eae74fa99e0d9f57"]
 *     ["b","F32",[2],"ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b"]
 *
 * and the digest 6479833fabdabf003c261f4b2c790ac289215e48bc9d9fdc11fd5e4af165a3ae.
 */
import { createHash } from 'node:crypto';
import { littleEndianBytes } from '../../contracts/format/dtypes.ts';
import type { StoredTensor } from './safetensors.ts';

/** The digest of tensors, lower-case hex. The map's own order does not matter. */
export function digestTensors(tensors: ReadonlyMap<string, Omit<StoredTensor, 'dtype'>>): string {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(digestLine(name, shape, data));
  }
  return hash.digest('hex');
}

/** One tensor's line of the digest. */
export function digestLine(name: string, shape: readonly number[], data: Float32Array): string {
  const bytes = createHash('sha256').update(littleEndianBytes(data)).digest('hex');
  return `${JSON.stringify([name, 'F32', shape, bytes])}\n`;
}
