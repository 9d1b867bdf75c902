/** Writes a data set to a file, a few hundred rows in memory at a time. */
import type { FileHandle } from 'node:fs/promises';
import { listRows } from '../../stores/data/dataset-rows.ts';
import type { Dataset } from '../../stores/data/datasets.ts';
import type { Database } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { readTexts } from '../../stores/objects/texts.ts';
import { InputError } from '../errors.ts';
import { writeLines, writeNewFile } from '../output/new-file.ts';
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

/** Writes a new file. Throws InputError where the extension is unknown or the file is there. */
export async function writeRows(path: string, rows: AsyncIterable<OpenR1Row>): Promise<void> {
  const write = formatOf(path);
  await writeNewFile(path, (file) => write(file, rows));
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
