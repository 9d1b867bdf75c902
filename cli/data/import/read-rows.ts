/** Reads the rows of data files: JSON lines, a JSON array, Parquet. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseExactJson, stringifyExactJson } from '../../../contracts/exact-json.ts';
import { Failure } from '../../../contracts/failures.ts';
import { readTextLines, textOfBytes } from '../text-file.ts';
import { parquetRows } from './parquet-rows.ts';

/** A row with its position: line of a text, or row number, from 1. */
export interface FoundRow {
  source: string;
  line: number;
  /** why it is not a row; null where it is one */
  fault: string | null;
  value: Record<string, unknown>;
}

/** A data file, and the given folder that it was found in. */
export interface DataFile {
  path: string;
  folder: string | null;
}

type Reader = (path: string) => AsyncGenerator<FoundRow>;

const readers: Record<string, Reader> = {
  '.jsonl': readLines,
  '.ndjson': readLines,
  '.json': readArray,
  '.parquet': readParquet,
};
const EXTENSIONS = Object.keys(readers);

/** The data files at the given paths, folders searched recursively, sorted by name. Throws Failure 'InvalidInput'. */
export async function findDataFiles(paths: readonly string[]): Promise<DataFile[]> {
  const found = await Promise.all(paths.map((path) => filesAt(path)));
  return [...new Map(found.flat().map((file) => [file.path, file])).values()];
}

async function filesAt(path: string): Promise<DataFile[]> {
  const known = await stat(path).catch(() => undefined);
  if (known === undefined)
    throw new Failure('InvalidInput', `${path}: expected a file or folder, found none`);
  if (!known.isDirectory()) return [{ path, folder: null }];
  const names = await readdir(path, { recursive: true });
  const files = names.filter((name) => EXTENSIONS.includes(extname(name)) && !basename(name).startsWith('.'));
  if (files.length > 0) return files.sort().map((name) => ({ path: join(path, name), folder: path }));
  throw new Failure('InvalidInput', `${path}: expected files ending in ${EXTENSIONS.join(', ')}, found none`);
}

/** Streams the rows of a file. Throws Failure 'InvalidInput' for an unknown format. */
export function readRows(path: string): AsyncGenerator<FoundRow> {
  const read = readers[extname(path).toLowerCase()];
  if (read !== undefined) return read(path);
  throw new Failure('InvalidInput', `${path}: expected a file ending in ${EXTENSIONS.join(', ')}`);
}

async function* readLines(path: string): AsyncGenerator<FoundRow> {
  let line = 0;
  for await (const { text, fault } of readTextLines(path)) {
    line++;
    if (fault !== null) yield { source: path, line, fault, value: {} };
    else if (text.trim() !== '') yield rowOf(path, line, parseJson(text), () => text);
  }
}

async function* readArray(path: string): AsyncGenerator<FoundRow> {
  const parsed = parseJson(textOfBytes(await readFile(path), path));
  if (!Array.isArray(parsed)) throw new Failure('InvalidInput', `${path}: expected a JSON array of rows`);
  for (const [index, value] of parsed.entries())
    yield rowOf(path, index + 1, value, () => stringifyExactJson(value));
}

async function* readParquet(path: string): AsyncGenerator<FoundRow> {
  let line = 0;
  for await (const value of parquetRows(path)) yield { source: path, line: ++line, fault: null, value };
}

/** Undefined for invalid JSON. */
function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

const SHOWN = 40;

function rowOf(source: string, line: number, value: unknown, textOf: () => string): FoundRow {
  const isRow = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isRow) return { source, line, fault: null, value: { ...value } };
  return { source, line, fault: `expected a JSON object, found ${shown(textOf())}`, value: {} };
}

function shown(text: string): string {
  if (text.includes('\0'))
    return 'NUL characters, as UTF-16 without a byte order mark has them. Convert the file to UTF-8.';
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
