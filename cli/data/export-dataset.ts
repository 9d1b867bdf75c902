/** Writes a data set to a file under the field names of Open-R1, a few hundred rows in memory at a time. */

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { ByteWriter, SchemaElement } from 'hyparquet-writer';
import { partsOf } from '../../algorithm/data/response-parts.ts';
import { type DatasetRow, listRows } from '../../stores/data/dataset-rows.ts';
import type { Dataset } from '../../stores/data/datasets.ts';
import type { Database } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { readTexts } from '../../stores/objects/texts.ts';
import { InputError } from '../errors.ts';
import { writeLines, writeNewFile } from '../output/new-file.ts';

const ROWS_A_READ = 500;

type Write = (file: FileHandle, rows: AsyncIterable<OpenR1Row>) => Promise<void>;

const formats: Record<string, Write> = {
  jsonl: writeLines,
  parquet: writeParquet,
};

/** The rows of a data set with their texts. */
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

/** Throws InputError where the extension is unknown or the file exists. */
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

export interface OpenR1Row {
  problem: string;
  /** the response after its thinking */
  solution: string;
  /** ground truth; empty for an example */
  answer: string;
  /** the domain */
  problem_type: string;
  source: string;
  /** derived from prompt and text: equal rows have equal ids */
  uuid: string;
  generations: string[];
  /** full marks by the verifier; null where it gave no verdict */
  correctness_math_verify: (boolean | null)[];
  /** null for rows that were not sampled */
  finish_reasons: ('stop' | 'length' | null)[];
  messages: { role: 'user' | 'assistant'; content: string }[];
}

function openR1Row(row: DatasetRow, text: string): OpenR1Row {
  return {
    problem: row.problem,
    solution: partsOf(text)?.final ?? text,
    answer: row.answer,
    problem_type: row.domain,
    source: row.source,
    uuid: uuidOf(row),
    generations: [text],
    correctness_math_verify: [correctness(row)],
    finish_reasons: [row.rewards === null ? null : row.truncated ? 'length' : 'stop'],
    messages: [
      { role: 'user', content: row.problem },
      { role: 'assistant', content: text },
    ],
  };
}

function correctness({ rewards }: DatasetRow): boolean | null {
  const verdict = rewards?.accuracy;
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}

/** A UUID of version 8 (RFC 9562): SHA-256 over the prompt's hash and the text's, with version and variant set. */
function uuidOf({ promptHash, text }: DatasetRow): string {
  const hash = createHash('sha256').update(`${promptHash} ${text.sha256}`).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

/** Rows per row group. */
const ROW_GROUP = 2_000;

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'OPTIONAL',
});

/** A list in Parquet's three-level form. */
const list = (name: string, ...element: SchemaElement[]): SchemaElement[] => [
  { name, converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
];

const COLUMNS: Record<keyof OpenR1Row, SchemaElement[]> = {
  problem: [text('problem')],
  solution: [text('solution')],
  answer: [text('answer')],
  problem_type: [text('problem_type')],
  source: [text('source')],
  uuid: [text('uuid')],
  generations: list('generations', text('element')),
  correctness_math_verify: list('correctness_math_verify', {
    name: 'element',
    type: 'BOOLEAN',
    repetition_type: 'OPTIONAL',
  }),
  finish_reasons: list('finish_reasons', text('element')),
  messages: list(
    'messages',
    { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
    text('role'),
    text('content'),
  ),
};

const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: Object.keys(COLUMNS).length },
  ...Object.values(COLUMNS).flat(),
];

async function writeParquet(file: FileHandle, rows: AsyncIterable<OpenR1Row>): Promise<void> {
  const { ByteWriter, parquetWriteRows } = await import('hyparquet-writer');
  await parquetWriteRows({
    writer: flushedTo(file, new ByteWriter()),
    rows,
    // A dictionary of long texts costs more than it saves.
    columns: Object.keys(COLUMNS).map((name) => ({ name, encoding: 'PLAIN' as const, statistics: false })),
    schema: SCHEMA,
    rowGroupSize: ROW_GROUP,
    createdBy: 'durable-r1',
  });
}

/** The package calls `flush` after each row group and awaits it. */
function flushedTo(file: FileHandle, writer: ByteWriter) {
  const flush = async () => {
    await file.writeFile(new Uint8Array(writer.buffer, 0, writer.index));
    writer.index = 0;
  };
  return Object.assign(writer, { flush, finish: flush });
}
