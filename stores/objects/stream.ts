import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import { updateInPieces } from './hashing.ts';

/** A store whose objects are read in pieces. */
export interface StreamedObjects {
  stream(reference: Reference): AsyncGenerator<Uint8Array>;
}

/** Bytes of one request. */
const PIECE_BYTES = 16 * 2 ** 20;
/** Requests under way at the same time. */
const PIECES_AT_ONCE = 4;

/**
 * An object's bytes in order, a few requests ahead, compared with the reference at the end.
 * Throws Failure 'CorruptObject', and the errors of `getRange`.
 */
export async function* streamObject(
  { uri, bytes, sha256 }: Reference,
  getRange: (offset: number, length: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const pieces: Promise<Uint8Array>[] = [];
  let asked = 0;
  const ask = () => {
    const length = Math.min(PIECE_BYTES, bytes - asked);
    const piece = getRange(asked, length);
    // It is awaited in its turn, or never, where the reader stops before.
    piece.catch(() => undefined);
    pieces.push(piece);
    asked += length;
  };
  while (asked < bytes || pieces.length > 0) {
    while (asked < bytes && pieces.length < PIECES_AT_ONCE) ask();
    const piece = await pieces.shift();
    if (piece === undefined) break;
    await updateInPieces(hash, piece);
    yield piece;
  }
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw new Failure(
    'CorruptObject',
    `${uri}: expected ${bytes} bytes with sha256 ${sha256}, found sha256 ${found}. ` +
      'Restore it from a backup, or resume from a checkpoint that does not need it.',
  );
}

/**
 * Writes an object into a new file, which exists only once it is whole. Throws Failure 'CorruptObject', and 'OutOfSpace'
 * where the disk is full.
 */
export async function getToFile(objects: StreamedObjects, reference: Reference, path: string): Promise<void> {
  await writeStream(path, objects.stream(reference), reference.bytes);
}

/** Writes pieces into a new file. `bytes`: how many are expected, for the error. Throws Failure 'OutOfSpace'. */
export async function writeStream(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<void> {
  const partial = `${path}.partial`;
  try {
    const handle = await open(partial, 'w');
    try {
      for await (const piece of pieces) await handle.writeFile(piece);
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw diskFailure(error, path, bytes);
  }
}

function diskFailure(error: unknown, path: string, bytes: number): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new Failure(
    'OutOfSpace',
    `${path}: expected ${bytes} bytes of free disk space, found the disk full. Free some space, then try again.`,
  );
}
