import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TextLocation } from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Transaction } from '../database/database.ts';
import { json, readRow } from '../database/rows.ts';
import { createByteCache } from './byte-cache.ts';
import { keys } from './keys.ts';
import type { ObjectStore } from './objects.ts';

/**
 * Texts of samples and examples: many in one immutable object (a shard), each with its offset, its length
 * and its own SHA-256.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true });
const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Texts as the bytes of one shard, and the location of each. */
export interface PackedTexts {
  bytes: Uint8Array;
  /** in the order of the texts */
  locations: Omit<TextLocation, 'object'>[];
}

/** Concatenates texts as UTF-8: a lone surrogate becomes U+FFFD. */
export function packTexts(texts: readonly string[]): PackedTexts {
  const parts = texts.map((text) => Buffer.from(text, 'utf8'));
  let offset = 0;
  const locations = parts.map((part) => {
    offset += part.length;
    return { offset: offset - part.length, length: part.length, sha256: sha256Of(part) };
  });
  return { bytes: Buffer.concat(parts), locations };
}

/** Writes a shard under a key made from its content. */
export function putTexts(objects: ObjectStore, { bytes }: PackedTexts): Promise<Reference> {
  return objects.put(keys.texts, bytes);
}

/** The row of a shard; the same object is the same row. */
export async function shardId(tx: Transaction, object: Reference): Promise<number> {
  const row = await readRow(
    tx,
    'text_shards',
    z.object({ id: z.int() }),
    `INSERT INTO text_shards (object) VALUES ($1)
     ON CONFLICT ((object ->> 'uri')) DO UPDATE SET object = text_shards.object RETURNING id`,
    [json(object)],
  );
  if (row === undefined) throw new Error(`${object.uri}: expected a row, found none`);
  return row.id;
}

/** Shards kept in memory: batches of a data set read the same ones again. */
const CACHE_BYTES = 128 * 2 ** 20;
const cache = createByteCache(CACHE_BYTES);
/** A shard is fetched as a whole where it is small, or where this share of it is needed. */
const SMALL_SHARD = 2 ** 20;
const LARGE_SHARE = 1 / 32;
/** Ranged reads at a time. */
const READS = 16;

/**
 * Texts in the order of their locations.
 * @throws Failure 'CorruptObject' where an object is missing or a text is not the one that its row names.
 */
export async function readTexts(objects: ObjectStore, locations: readonly TextLocation[]): Promise<string[]> {
  const texts = new Array<string>(locations.length);
  const scattered: number[] = [];
  for (const [uri, indices] of byShard(locations)) {
    const object = locations[indices[0] ?? 0]?.object;
    const needed = indices.reduce((sum, index) => sum + (locations[index]?.length ?? 0), 0);
    if (object === undefined || !(isFetchedWhole(object, needed) || cache.has(uri))) {
      scattered.push(...indices);
      continue;
    }
    const shard = await cache.get(uri, () => objects.get(object));
    for (const index of indices) {
      const location = locations[index];
      if (location !== undefined)
        texts[index] = textOf(shard.subarray(location.offset, location.offset + location.length), location);
    }
  }
  for (let begin = 0; begin < scattered.length; begin += READS) {
    await Promise.all(
      scattered.slice(begin, begin + READS).map(async (index) => {
        const location = locations[index];
        if (location !== undefined) texts[index] = await readText(objects, location);
      }),
    );
  }
  return texts;
}

/** One text, read separately. Throws Failure 'CorruptObject'. */
async function readText(objects: ObjectStore, location: TextLocation): Promise<string> {
  return textOf(await objects.getRange(location.object, location.offset, location.length), location);
}

const isFetchedWhole = ({ bytes }: Reference, needed: number) =>
  bytes <= SMALL_SHARD || (needed >= LARGE_SHARE * bytes && bytes <= CACHE_BYTES);

/** Indices of the locations in each object. */
function byShard(locations: readonly TextLocation[]): Map<string, number[]> {
  const shards = new Map<string, number[]>();
  for (const [index, { object }] of locations.entries()) {
    const indices = shards.get(object.uri);
    if (indices === undefined) shards.set(object.uri, [index]);
    else indices.push(index);
  }
  return shards;
}

function textOf(bytes: Uint8Array, { object, offset, length, sha256 }: TextLocation): string {
  const found = sha256Of(bytes);
  if (found === sha256) return utf8.decode(bytes);
  throw new Failure(
    'CorruptObject',
    `${object.uri}: expected a text with sha256 ${sha256} at byte ${offset}, ${length} bytes long, found ` +
      `${bytes.length} bytes with sha256 ${found}. Restore it from a backup.`,
  );
}
