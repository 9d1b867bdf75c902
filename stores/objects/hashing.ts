import { createHash, type Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { littleEndianBytes, type Tensor } from '../../contracts/format/dtypes.ts';

/** Bytes hashed between two turns of the event loop: about ten milliseconds of work. */
const PIECE_BYTES = 8 * 2 ** 20;

/** Gigabytes take seconds: other work of the process, such as heartbeats, runs between the pieces. */
export async function updateInPieces(hash: Hash, bytes: Uint8Array): Promise<void> {
  for (let begin = 0; begin < bytes.length; begin += PIECE_BYTES) {
    if (begin > 0) await nextTurn();
    hash.update(bytes.subarray(begin, begin + PIECE_BYTES));
  }
}

/** The SHA-256 of each array's bytes, as a tensor U8 [N, 32]. */
export function sha256Column(arraysN: readonly (Int32Array | Float32Array)[]): Tensor<'U8'> {
  const data = new Uint8Array(arraysN.length * SHA256_BYTES);
  for (const [n, array] of arraysN.entries()) data.set(hashOf(littleEndianBytes(array)), n * SHA256_BYTES);
  return { dtype: 'U8', shape: [arraysN.length, SHA256_BYTES], data };
}

/** SHA-256 of a few bytes. */
export const hashOf = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

export const SHA256_BYTES = 32;
