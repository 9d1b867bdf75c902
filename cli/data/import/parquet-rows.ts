import { open } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { parseExactJson } from '../../../contracts/exact-json.ts';
import { Failure } from '../../../contracts/failures.ts';

type Value = Record<string, unknown>;

/** The rows of a Parquet file, with one row group in memory at a time. */
export async function* parquetRows(path: string): AsyncGenerator<Value> {
  const handle = await open(path, 'r');
  try {
    const file = bufferOf(handle, (await handle.stat()).size);
    const metadata = await parquetMetadataAsync(file).catch((cause) => refuseParquet(path, cause));
    const readers = columnReaders(metadata);
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      const options = { file, metadata, rowStart, rowEnd, compressors, parsers };
      const rows = await parquetReadObjects(options).catch((cause) => refuseParquet(path, cause));
      for (const row of rows)
        yield Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, (readers.get(name) ?? plain)(value)]),
        );
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

function refuseParquet(path: string, cause: unknown): never {
  const found = cause instanceof Error ? cause.message : String(cause);
  throw new Failure('InvalidInput', `${path}: expected a Parquet file that can be read, found: ${found}`, {
    cause,
  });
}

function bufferOf(handle: Awaited<ReturnType<typeof open>>, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = new Uint8Array(end - start);
      await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer;
    },
  };
}

/** hyparquet has Snappy; Node has the others, Zstandard from version 22.15. */
const compressors: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ZSTD: (input) => {
    const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync');
    if (typeof decompress === 'function') return decompress(input);
    throw new Error('Zstandard, which Node reads from version 22.15 on; write the file with Snappy or GZIP');
  },
};

/** A text column with bytes that are not UTF-8: an error only where the field is used. */
export class InvalidText {
  toString(): string {
    return 'bytes that are not UTF-8';
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined || bytes === null) return bytes;
  try {
    return decoder.decode(bytes);
  } catch {
    return new InvalidText();
  }
}

const parsers = {
  stringFromBytes: textOf,
  jsonFromBytes(bytes: Uint8Array | undefined): unknown {
    const text = textOf(bytes);
    return typeof text === 'string' ? parseExactJson(text) : text;
  },
};

/** Columns read by their type. Decimals are taken from hyparquet unscaled, as it would round them. */
function columnReaders({ schema }: FileMetaData): Map<string, (value: unknown) => unknown> {
  const readers = new Map<string, (value: unknown) => unknown>();
  for (const element of topLevel(schema)) {
    const { name, type, converted_type, scale = 0 } = element;
    if (type === 'FLOAT') readers.set(name, shortest);
    // without its type hyparquet returns the unscaled number, but decimals of varying length as text
    if (converted_type !== 'DECIMAL' || type === 'BYTE_ARRAY') continue;
    delete element.converted_type;
    delete element.logical_type;
    readers.set(name, (value) => decimalText(value, scale));
  }
  return readers;
}

type SchemaElement = FileMetaData['schema'][number];

/** The columns that are neither lists nor structs. Schema elements are listed depth first, the root first. */
function topLevel([root, ...elements]: readonly SchemaElement[]): SchemaElement[] {
  const found: SchemaElement[] = [];
  let position = 0;
  const skip = (): void => {
    const children = elements[position++]?.num_children ?? 0;
    for (let child = 0; child < children; child++) skip();
  };
  for (let column = 0; column < (root?.num_children ?? 0); column++) {
    const element = elements[position];
    if (element !== undefined && (element.num_children ?? 0) === 0) found.push(element);
    skip();
  }
  return found;
}

/** The shortest decimal that is this 32-bit float. */
function shortest(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return plain(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** A decimal as text, with all its digits. */
function decimalText(value: unknown, scale: number): unknown {
  const unscaled = value instanceof Uint8Array ? signed(value) : value;
  if (typeof unscaled !== 'number' && typeof unscaled !== 'bigint') return plain(value);
  const digits = String(unscaled)
    .replace('-', '')
    .padStart(scale + 1, '0');
  const sign = unscaled < 0 ? '-' : '';
  const whole = `${sign}${digits.slice(0, digits.length - scale)}`;
  return scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`.replace(/(?:\.|(?<!0))0+$/, '');
}

/** Two's complement, big-endian. */
const signed = (bytes: Uint8Array) =>
  BigInt.asIntN(
    8 * bytes.length,
    bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
  );

/** Parquet values as JSON values: integers as numbers where exact, dates as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (typeof value !== 'object' || value === null) return value;
  // exact numbers and InvalidText
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
