import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is hashed between two turns of the event loop: some ten milliseconds' work. */
const PIECE_BYTES = 8 * 2 ** 20;

/**
 * SHA-256 in hex. Gigabytes take seconds, and everything else that the process owes, heartbeats first, is done in
 * between.
 */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let begin = 0; begin < bytes.length; begin += PIECE_BYTES) {
    if (begin > 0) await nextTurn();
    hash.update(bytes.subarray(begin, begin + PIECE_BYTES));
  }
  return hash.digest('hex');
}
