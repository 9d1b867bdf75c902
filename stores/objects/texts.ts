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
 * Texts of samples and examples: many in one immutable object (a shard), each found by its offset and length
 * and proved by its own SHA-256.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true });
const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Texts as the bytes of one shard, and where each lies in them. */
export interface PackedTexts {
  bytes: Uint8Array;
  /** in the order of the texts */
  places: Omit<TextLocation, 'object'>[];
}

/** Lays texts one after the other. Their UTF-8 is what is kept: a lone surrogate becomes U+FFFD. */
export function packTexts(texts: readonly string[]): PackedTexts {
  const parts = texts.map((text) => Buffer.from(text, 'utf8'));
  let offset = 0;
  const places = parts.map((part) => {
    offset += part.length;
    return { offset: offset - part.length, length: part.length, sha256: sha256Of(part) };
  });
  return { bytes: Buffer.concat(parts), places };
}

/** Writes a shard under a key of its content. */
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

/** Shards kept in memory: a walk over a data set comes back to the same ones. */
const CACHE_BYTES = 128 * 2 ** 20;
const cache = createByteCache(CACHE_BYTES);
/** A shard is fetched whole where it is small, or where this share of it is asked for. */
const SMALL_SHARD = 2 ** 20;
const LARGE_SHARE = 1 / 32;
/** Ranged reads under way at a time. */
const READS = 16;

/**
 * Texts in the order of their places.
 * @throws Failure 'CorruptObject' where an object is missing or a text is not the one that its row names.
 */
export async function readTexts(objects: ObjectStore, places: readonly TextLocation[]): Promise<string[]> {
  const texts = new Array<string>(places.length);
  const scattered: number[] = [];
  for (const [uri, indices] of byShard(places)) {
    const object = places[indices[0] ?? 0]?.object;
    const asked = indices.reduce((sum, index) => sum + (places[index]?.length ?? 0), 0);
    if (object === undefined || !(isWorthWhole(object, asked) || cache.has(uri))) {
      scattered.push(...indices);
      continue;
    }
    const shard = await cache.get(uri, () => objects.get(object));
    for (const index of indices) {
      const place = places[index];
      if (place !== undefined)
        texts[index] = textOf(shard.subarray(place.offset, place.offset + place.length), place);
    }
  }
  for (let begin = 0; begin < scattered.length; begin += READS) {
    await Promise.all(
      scattered.slice(begin, begin + READS).map(async (index) => {
        const place = places[index];
        if (place !== undefined) texts[index] = await readText(objects, place);
      }),
    );
  }
  return texts;
}

/** One text, read by itself. Throws Failure 'CorruptObject'. */
export async function readText(objects: ObjectStore, place: TextLocation): Promise<string> {
  return textOf(await objects.getRange(place.object, place.offset, place.length), place);
}

const isWorthWhole = ({ bytes }: Reference, asked: number) =>
  bytes <= SMALL_SHARD || (asked >= LARGE_SHARE * bytes && bytes <= CACHE_BYTES);

/** Indices of the places in each object. */
function byShard(places: readonly TextLocation[]): Map<string, number[]> {
  const shards = new Map<string, number[]>();
  for (const [index, { object }] of places.entries()) {
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
