/**
 * Reads parts of a shard's record by ranges. The object's own checksum covers it whole; parts are checked against the
 * SHA-256 of each sequence that the record holds beside the column.
 */
import type { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import { DTYPES, decodeTensor, ELEMENTS, type Tensor } from '../../contracts/format/dtypes.ts';
import {
  LENGTH_BYTES,
  parseHeader,
  readDataOffset,
  type TensorEntry,
} from '../../contracts/format/safetensors.ts';
import type { recordFormats } from '../../contracts/records/formats.ts';
import type { Reference } from '../../contracts/reference.ts';
import { hashOf, SHA256_BYTES } from '../../stores/objects/hashing.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { headerOfText } from '../../stores/objects/records.ts';

/** A sequence of a shard: its index, and where its elements lie in the columns. */
interface ShardSequence {
  sequence: number;
  /** elements before it */
  offset: number;
  /** elements */
  length: number;
}

export interface ShardReader {
  /** The sequences' parts of a column. Throws Failure 'CorruptObject' where a part is not what was written. */
  read<D extends 'I32' | 'F32'>(
    column: string,
    dtype: D,
    sequences: readonly ShardSequence[],
  ): Promise<Tensor<D>['data'][]>;
}

/** Most headers are smaller: one request reads them. */
const FIRST_READ = 8192;
/** Ranges with a larger gap between them are read apart. */
const GAP_BYTES = 16 * 1024;
/** All gaps that are read have at most this share of the bytes that are wanted. */
const GAP_SHARE = 1 / 4;
/** A range is not joined to a longer one: it bounds memory. */
const RANGE_BYTES = 4 * 2 ** 20;
const CONCURRENT_READS = 8;
const HEADERS_KEPT = 256;

const headers = new Map<string, Promise<Header>>();

interface Header {
  /** the record as JSON */
  record: string;
  entries: ReadonlyMap<string, TensorEntry>;
  dataOffset: number;
  /** columns of SHA-256 that were read: every batch of a rollout needs them */
  digests: Map<string, Promise<Uint8Array>>;
}

/** Ranges of whole objects, each read once: fewer requests for a batch that needs most of a shard. */
export function readWhole(objects: Pick<ObjectStore, 'get'>): Pick<ObjectStore, 'getRange'> {
  const known = new Map<string, Promise<Uint8Array>>();
  return {
    async getRange(reference, offset, length) {
      const reading = known.get(reference.uri) ?? objects.get(reference);
      known.set(reference.uri, reading);
      // A copy: what is kept of a header must not keep the whole object.
      return (await reading).slice(offset, offset + length);
    },
  };
}

/** `kind`: what it is called in errors. */
export async function openShard(
  objects: Pick<ObjectStore, 'getRange'>,
  reference: Reference,
  kind: string,
): Promise<ShardReader> {
  const header = await headerOf(objects, reference);
  const { entries, dataOffset } = header;
  const rangeOf = (name: string, dtype: string) => {
    const entry = entries.get(name);
    if (entry?.dtype === dtype) return entry;
    throw corrupt(
      reference,
      `expected a ${kind} with a tensor "${name}" of ${dtype}, found ${entry?.dtype ?? 'none'}`,
    );
  };
  return {
    async read(column, dtype, sequences) {
      const entry = rangeOf(column, dtype);
      const digests = await digestsOf(objects, reference, header, rangeOf(`${column}.sha256`, 'U8'));
      const width = ELEMENTS[dtype].bytes;
      const parts = sequences.map(({ sequence, offset, length }) => {
        const begin = entry.begin + offset * width;
        const end = begin + length * width;
        if (end <= entry.end) return { sequence, begin, end };
        throw corrupt(
          reference,
          `tensor "${column}": expected sequence ${sequence} to end by byte ${entry.end}, found ${end}`,
        );
      });
      const bytes = await readParts(objects, reference, dataOffset, parts);
      return parts.map(({ sequence }, i) => {
        const part = bytes[i] ?? new Uint8Array();
        const expected = digests.subarray(sequence * SHA256_BYTES, (sequence + 1) * SHA256_BYTES);
        if (!Buffer.from(expected).equals(hashOf(part))) {
          headers.delete(reference.uri);
          throw corrupt(reference, `tensor "${column}": sequence ${sequence} does not match its SHA-256`);
        }
        return decodeTensor(dtype, [part.length / width], part).data;
      });
    },
  };
}

/** The header of a shard's record, of this release. Throws Failure as `decodeRecord` does. */
export async function readShardHeader<Kind extends 'rollout' | 'logprobs'>(
  objects: Pick<ObjectStore, 'getRange'>,
  reference: Reference,
  kind: Kind,
): Promise<z.infer<(typeof recordFormats)[Kind][2]>> {
  const { record } = await headerOf(objects, reference);
  return headerOfText([kind], record, reference.uri) as z.infer<(typeof recordFormats)[Kind][2]>;
}

const corrupt = ({ uri }: Reference, problem: string) =>
  new Failure(
    'CorruptObject',
    `${uri}: ${problem}. Restore the object, or resume from a checkpoint that does not need it.`,
  );

function headerOf(objects: Pick<ObjectStore, 'getRange'>, reference: Reference): Promise<Header> {
  const known = headers.get(reference.uri);
  if (known !== undefined) return known;
  const reading = readHeader(objects, reference);
  reading.catch(() => headers.delete(reference.uri));
  headers.set(reference.uri, reading);
  for (const oldest of [...headers.keys()].slice(0, -HEADERS_KEPT)) headers.delete(oldest);
  return reading;
}

async function readHeader(objects: Pick<ObjectStore, 'getRange'>, reference: Reference): Promise<Header> {
  const { uri, bytes: size } = reference;
  let bytes = await objects.getRange(reference, 0, Math.min(size, FIRST_READ));
  try {
    const end = readDataOffset(bytes.subarray(0, LENGTH_BYTES), size, uri);
    if (end > bytes.length) bytes = await objects.getRange(reference, 0, end);
    const { entries, metadata, dataOffset } = parseHeader(bytes, size, uri, DTYPES);
    return {
      record: metadata.record ?? '',
      entries: new Map(entries.map((entry) => [entry.name, entry])),
      dataOffset,
      digests: new Map(),
    };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw corrupt(reference, error instanceof Error ? error.message : String(error));
  }
}

function digestsOf(
  objects: Pick<ObjectStore, 'getRange'>,
  reference: Reference,
  { digests, dataOffset }: Header,
  { name, begin, end }: TensorEntry,
): Promise<Uint8Array> {
  const known = digests.get(name);
  if (known !== undefined) return known;
  const reading = objects.getRange(reference, dataOffset + begin, end - begin);
  reading.catch(() => digests.delete(name));
  digests.set(name, reading);
  return reading;
}

interface Part {
  begin: number;
  end: number;
}

/** The bytes of each part; neighbouring parts are read by one request. */
async function readParts(
  objects: Pick<ObjectStore, 'getRange'>,
  reference: Reference,
  dataOffset: number,
  parts: readonly Part[],
): Promise<Uint8Array[]> {
  const ranges = joinedRanges(parts);
  const found: Uint8Array[] = parts.map(() => new Uint8Array());
  const waiting = ranges.values();
  const readNext = async (): Promise<void> => {
    for (const { begin, end, members } of waiting) {
      const bytes = await objects.getRange(reference, dataOffset + begin, end - begin);
      for (const i of members) {
        const part = parts[i];
        // A part of several is copied, so that it does not keep the others in memory.
        if (part !== undefined)
          found[i] = members.length === 1 ? bytes : bytes.slice(part.begin - begin, part.end - begin);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, readNext));
  return found;
}

/** Ranges that cover the parts, and of the gaps between them the smallest; `members` are the parts' indices. */
export function joinedRanges(parts: readonly Part[]): (Part & { members: number[] })[] {
  const order = parts.map((part, i) => ({ ...part, i })).sort((a, b) => a.begin - b.begin);
  const afterReadGap = afterReadGaps(order);
  const ranges: (Part & { members: number[] })[] = [];
  for (const [position, { begin, end, i }] of order.entries()) {
    const last = ranges.at(-1);
    if (last !== undefined && afterReadGap.has(position) && end - last.begin <= RANGE_BYTES) {
      last.end = Math.max(last.end, end);
      last.members.push(i);
    } else ranges.push({ begin, end, members: [i] });
  }
  return ranges;
}

/** The positions of parts before which the gap is read: all such gaps have at most `GAP_SHARE` of the wanted bytes. */
function afterReadGaps(order: readonly Part[]): Set<number> {
  const wanted = order.reduce((sum, { begin, end }) => sum + end - begin, 0);
  const gaps = order
    .map(({ begin }, position) => ({ position, bytes: Math.max(0, begin - (order[position - 1]?.end ?? 0)) }))
    .slice(1)
    .filter(({ bytes }) => bytes <= GAP_BYTES)
    .sort((a, b) => a.bytes - b.bytes);
  let read = 0;
  const within = gaps.filter(({ bytes }) => {
    read += bytes;
    return read <= GAP_SHARE * wanted;
  });
  return new Set(within.map(({ position }) => position));
}
