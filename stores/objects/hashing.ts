import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Bytes hashed between two turns of the event loop: about ten milliseconds of work. */
const PIECE_BYTES = 8 * 2 ** 20;

/**
 * SHA-256 in hex. Gigabytes take seconds: other work of the process, such as heartbeats, runs between the pieces.
 */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let begin = 0; begin < bytes.length; begin += PIECE_BYTES) {
    if (begin > 0) await nextTurn();
    hash.update(bytes.subarray(begin, begin + PIECE_BYTES));
  }
  return hash.digest('hex');
}
