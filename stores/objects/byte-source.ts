/** Bytes of known length that are read in pieces, and may be read again: a file, or memory. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../../contracts/failures.ts';
import { updateInPieces } from './hashing.ts';

export interface ByteSource {
  bytes: number;
  /** Bytes that are not changed until the caller has used them. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export const memorySource = (bytes: Uint8Array): ByteSource => ({
  bytes: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});

/** Several pieces of memory, one after the other. */
export function piecesSource(pieces: readonly Uint8Array[]): ByteSource {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return {
    bytes,
    async read(offset, length) {
      const found: Uint8Array[] = [];
      let begin = 0;
      for (const piece of pieces) {
        const from = Math.max(0, offset - begin);
        const to = Math.min(piece.length, offset + length - begin);
        if (from < to) found.push(piece.subarray(from, to));
        begin += piece.length;
      }
      const [first] = found;
      return found.length === 1 && first !== undefined ? first : Buffer.concat(found);
    },
  };
}

/** Runs `work` with a file's bytes. */
export async function withFileSource<Result>(
  path: string,
  work: (source: ByteSource) => Promise<Result>,
): Promise<Result> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return await work({
      bytes: size,
      async read(offset, length) {
        const bytes = Buffer.allocUnsafe(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0)
            throw new Failure('InvalidInput', `${path}: became shorter while it was read. Try again.`);
          done += bytesRead;
        }
        return bytes;
      },
    });
  } finally {
    await handle.close();
  }
}

const PIECE_BYTES = 32 * 2 ** 20;

/** SHA-256 in hex. */
export async function sha256OfSource({ bytes, read }: ByteSource): Promise<string> {
  const hash = createHash('sha256');
  for (let begin = 0; begin < bytes; begin += PIECE_BYTES) {
    if (begin > 0) await nextTurn();
    await updateInPieces(hash, await read(begin, Math.min(PIECE_BYTES, bytes - begin)));
  }
  return hash.digest('hex');
}
