import type { BuildDatasetResult, NewExample, TextLocation } from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { ObjectStore } from '../objects/objects.ts';
import { packTexts, putTexts, shardId } from '../objects/texts.ts';
import { datasetHash, ensureVersion, resultOf } from './datasets.ts';
import { promptHash } from './prompts.ts';

export interface NewExampleSet {
  name: string;
  /** in the order that the walk over the data will count by */
  rows: readonly NewExample[];
}

interface StoredExample extends NewExample {
  promptHash: string;
  text: TextLocation;
}

/** Rows whose texts share one object, and that one statement inserts. */
const ROWS_A_SHARD = 4_096;

/**
 * Makes a data set of examples that were written or generated. The same rows are the same version.
 * @throws Failure 'InvalidInput' naming the line of a row that Postgres cannot hold, or where there is no row.
 */
export async function createExampleSet(
  database: Database,
  objects: ObjectStore,
  { name, rows }: NewExampleSet,
): Promise<BuildDatasetResult> {
  refuseUnusable(name, rows);
  const rule = { selection: null, include: [] };
  const hash = datasetHash({ name, rule, policy: null });
  const shards: StoredExample[][] = [];
  for (let begin = 0; begin < rows.length; begin += ROWS_A_SHARD) {
    const placed = await storeTexts(objects, rows.slice(begin, begin + ROWS_A_SHARD));
    hash.add(placed.map((row) => ({ prompt: row.promptHash, text: row.text.sha256 })));
    shards.push(placed);
  }
  const version = { name, rule, policy: null, rejected: {}, ...hash.end() };
  const dataset = await database.transaction((tx) =>
    ensureVersion(tx, version, async (id) => {
      for (const [place, shard] of shards.entries()) await insertShard(tx, id, place * ROWS_A_SHARD, shard);
    }),
  );
  return resultOf(dataset);
}

function refuseUnusable(name: string, rows: readonly NewExample[]): void {
  const refuse = (where: string, expected: string, found: string): never => {
    throw new Failure(
      'InvalidInput',
      `${where}: expected ${expected}, found ${found}; nothing was imported: mend it and import it again`,
    );
  };
  if (rows.length === 0) refuse(name, 'at least one example', 'none');
  for (const { problem, response, domain, source, line } of rows) {
    if ([problem, response, domain, source].some((text) => text.includes('\0')))
      refuse(`${source} line ${line}`, 'text', 'a NUL character');
  }
}

async function storeTexts(objects: ObjectStore, rows: readonly NewExample[]): Promise<StoredExample[]> {
  const packed = packTexts(rows.map(({ response }) => response));
  const object = await putTexts(objects, packed);
  return rows.map((row, index) => ({
    ...row,
    promptHash: promptHash({ problem: row.problem, answer: '', domain: row.domain }),
    text: { object, offset: 0, length: 0, sha256: '', ...packed.places[index] },
  }));
}

async function insertShard(
  tx: Transaction,
  dataset: number,
  ordinal: number,
  rows: readonly StoredExample[],
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  // Identity numbers are given in the order of the rows, which is that of the arrays.
  await tx.query(
    `WITH added AS (
       INSERT INTO examples (prompt_hash, problem, domain, source, line, shard, text_offset, text_length, text_sha256)
       SELECT e.prompt_hash, e.problem, e.domain, e.source, e.line, $3, e.text_offset, e.text_length, e.text_sha256
       FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::bigint[], $10::integer[], $11::text[])
         WITH ORDINALITY AS e (prompt_hash, problem, domain, source, line, text_offset, text_length, text_sha256, place)
       ORDER BY e.place RETURNING id
     )
     INSERT INTO dataset_rows (dataset, ordinal, example)
     SELECT $1, $2 + row_number() OVER (ORDER BY id) - 1, id FROM added`,
    [
      dataset,
      ordinal,
      await shardId(tx, first.text.object),
      rows.map((row) => row.promptHash),
      rows.map(({ problem }) => problem),
      rows.map(({ domain }) => domain),
      rows.map(({ source }) => source),
      rows.map(({ line }) => line),
      rows.map(({ text }) => text.offset),
      rows.map(({ text }) => text.length),
      rows.map(({ text }) => text.sha256),
    ],
  );
}
