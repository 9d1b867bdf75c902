/** Rows under Open-R1's names as a Parquet file, one row group in memory at a time. */
import type { FileHandle } from 'node:fs/promises';
import { ByteWriter, parquetWriteRows, type SchemaElement } from 'hyparquet-writer';
import type { OpenR1Row } from './open-r1-row.ts';

/** Rows that are compressed and written together. */
const ROW_GROUP = 2_000;

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'OPTIONAL',
});

/** A list as Parquet's own specification nests it. */
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

/** Writes all rows; the file is complete when the promise is fulfilled. */
export async function writeParquet(file: FileHandle, rows: AsyncIterable<OpenR1Row>): Promise<void> {
  await parquetWriteRows({
    writer: streamingWriter(file),
    rows,
    // A dictionary of long texts costs more than it saves.
    columns: Object.keys(COLUMNS).map((name) => ({ name, encoding: 'PLAIN' as const, statistics: false })),
    schema: SCHEMA,
    rowGroupSize: ROW_GROUP,
    createdBy: 'durable-r1',
  });
}

/** The package asks a writer to flush after each row group, and waits for it. */
function streamingWriter(file: FileHandle) {
  const writer = new ByteWriter();
  const flush = async () => {
    await file.writeFile(new Uint8Array(writer.buffer, 0, writer.index));
    writer.index = 0;
  };
  return Object.assign(writer, { flush, finish: flush });
}
