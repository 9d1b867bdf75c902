/** Writes a data set to a file, a few hundred rows in memory at a time. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Database } from '../stores/database.ts';
import { listRows } from '../stores/dataset-rows.ts';
import type { Dataset } from '../stores/datasets.ts';
import type { ObjectStore } from '../stores/objects.ts';
import { readTexts } from '../stores/texts.ts';
import { InputError } from './errors.ts';
import { type OpenR1Row, openR1Row } from './open-r1-row.ts';

const ROWS_A_READ = 500;

type Write = (file: FileHandle, rows: AsyncIterable<OpenR1Row>) => Promise<void>;

/** By the file's extension. */
const formats: Record<string, Write> = {
  jsonl: writeLines,
  parquet: async (file, rows) => (await import('./parquet-file.ts')).writeParquet(file, rows),
};

/** Every row of a data set, its text read and checked. */
export async function* openR1Rows(
  database: Database,
  objects: ObjectStore,
  { id, rows }: Pick<Dataset, 'id' | 'rows'>,
): AsyncGenerator<OpenR1Row> {
  for (let ordinal = 0; ordinal < rows; ordinal += ROWS_A_READ) {
    const chunk = await listRows(database, id, ordinal, ROWS_A_READ);
    const texts = await readTexts(
      objects,
      chunk.map((row) => row.text),
    );
    for (const [index, row] of chunk.entries()) yield openR1Row(row, texts[index] ?? '');
  }
}

/**
 * Writes a new file. Until it is whole it has another name, and a file that failed is removed.
 * @throws InputError where the extension is unknown or the file is there.
 */
export async function writeRows(path: string, rows: AsyncIterable<OpenR1Row>): Promise<void> {
  const write = formatOf(path);
  await refuseExisting(path);
  const partial = `${path}.partial`;
  const file = await open(partial, 'w').catch((error: Error) => {
    throw new InputError(`${path}: expected a file in a folder that can be written, found ${error.message}`);
  });
  try {
    await write(file, rows);
    await file.sync();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

export function formatOf(path: string): Write {
  const extension = /\.([a-z]+)$/.exec(path)?.[1] ?? '';
  const write = Object.hasOwn(formats, extension) ? formats[extension] : undefined;
  if (write !== undefined) return write;
  throw new InputError(
    `${path}: expected a name that ends in ${Object.keys(formats)
      .map((name) => `.${name}`)
      .join(' or ')}`,
  );
}

async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined)
    throw new InputError(`${path}: expected a new file, found one there. Choose another.`);
}

/** Characters that are written at a time. */
const LINES_AT_ONCE = 1_000_000;

async function writeLines(file: FileHandle, rows: AsyncIterable<OpenR1Row>): Promise<void> {
  let lines = '';
  for await (const row of rows) {
    lines += `${JSON.stringify(row)}\n`;
    if (lines.length < LINES_AT_ONCE) continue;
    await file.writeFile(lines);
    lines = '';
  }
  await file.writeFile(lines);
}
