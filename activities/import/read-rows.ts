/** Rows of data files as they stand: JSON lines, a JSON array, Parquet. */
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as zlib from 'node:zlib';
import { type AsyncBuffer, type Compressors, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { Failure } from '../../contracts/failures.ts';

/** A row and where it stands: line of a text, or number in a Parquet file, from 1. */
export interface FoundRow {
  source: string;
  line: number;
  /** what is wrong with it; null: `value` is a row */
  fault: string | null;
  value: Record<string, unknown>;
}

type Reader = (path: string) => AsyncGenerator<FoundRow>;

const readers: Record<string, Reader> = {
  '.jsonl': readLines,
  '.ndjson': readLines,
  '.json': readArray,
  '.parquet': readParquet,
};
const EXTENSIONS = Object.keys(readers);

/** Data files under the paths given, folders walked, in the order of their names. Throws Failure 'InvalidInput'. */
export async function findDataFiles(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => filesAt(path)));
  return [...new Set(found.flat())];
}

async function filesAt(path: string): Promise<string[]> {
  const known = await stat(path).catch(() => undefined);
  if (known === undefined)
    throw new Failure('InvalidInput', `${path}: expected a file or folder, found none`);
  if (!known.isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  const files = names.filter((name) => EXTENSIONS.includes(extname(name)) && !basename(name).startsWith('.'));
  if (files.length > 0) return files.sort().map((name) => join(path, name));
  throw new Failure('InvalidInput', `${path}: expected files ending in ${EXTENSIONS.join(', ')}, found none`);
}

/** The rows of one file, as they are read. Throws Failure 'InvalidInput' where the file is of no known form. */
export function readRows(path: string): AsyncGenerator<FoundRow> {
  const read = readers[extname(path).toLowerCase()];
  if (read !== undefined) return read(path);
  throw new Failure('InvalidInput', `${path}: expected a file ending in ${EXTENSIONS.join(', ')}`);
}

async function* readLines(path: string): AsyncGenerator<FoundRow> {
  const lines = createInterface({
    input: createReadStream(path, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let line = 0;
  for await (const text of lines) {
    line++;
    const bare = line === 1 ? text.replace(/^\uFEFF/, '') : text;
    if (bare.trim() !== '') yield rowOf(path, line, parseJson(bare));
  }
}

async function* readArray(path: string): AsyncGenerator<FoundRow> {
  const parsed = parseJson((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''));
  if (!Array.isArray(parsed)) throw new Failure('InvalidInput', `${path}: expected a JSON array of rows`);
  for (const [index, value] of parsed.entries()) yield rowOf(path, index + 1, value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function rowOf(source: string, line: number, value: unknown): FoundRow {
  const isRow = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isRow) return { source, line, fault: null, value: { ...value } };
  return { source, line, fault: 'expected a JSON object', value: {} };
}

/** One row group after the other, so that no more than one is in memory. */
async function* readParquet(path: string): AsyncGenerator<FoundRow> {
  const handle = await open(path, 'r');
  try {
    const file = bufferOf(handle, (await handle.stat()).size);
    const metadata = await parquetMetadataAsync(file).catch((cause) => refuseParquet(path, cause));
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      const options = { file, metadata, rowStart, rowEnd, compressors };
      const rows = await parquetReadObjects(options).catch((cause) => refuseParquet(path, cause));
      for (const [index, row] of rows.entries()) yield rowOf(path, rowStart + index + 1, plain(row));
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

/** Snappy is hyparquet's own; the others are Node's, Zstandard from version 22.15 on. */
const compressors: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ZSTD: (input) => {
    const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync');
    if (typeof decompress === 'function') return decompress(input);
    throw new Error('Zstandard, which Node reads from version 22.15 on; write the file with Snappy or GZIP');
  },
};

/** Parquet's values as JSON has them: integers as numbers where they fit, dates as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
