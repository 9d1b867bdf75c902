import { z } from 'zod';
import type { BuildDatasetResult, NewExample, TextLocation } from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Database, Transaction } from '../database/database.ts';
import { insertRows, parseRows } from '../database/rows.ts';
import type { ObjectStore } from '../objects/objects.ts';
import { packTexts, putTexts, shardId } from '../objects/texts.ts';
import { datasetHash, ensureVersion, resultOf } from './datasets.ts';
import { promptHash } from './prompts.ts';

export interface NewExampleSet {
  name: string;
  /** in the order in which training goes through them */
  rows: readonly NewExample[];
}

interface StoredExample extends NewExample {
  promptHash: string;
  text: TextLocation;
}

/** Rows whose texts share one object. */
const ROWS_PER_SHARD = 4_096;

/**
 * Makes a data set of examples that were written or generated. The same rows give the same version.
 * @throws Failure 'InvalidInput' naming the line of a row that Postgres cannot store, or where there is no row.
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
  for (let begin = 0; begin < rows.length; begin += ROWS_PER_SHARD) {
    const stored = await storeTexts(objects, rows.slice(begin, begin + ROWS_PER_SHARD));
    hash.add(stored.map((row) => ({ prompt: row.promptHash, text: row.text.sha256 })));
    shards.push(stored);
  }
  const version = { name, rule, policy: null, rejected: {}, ...hash.end() };
  const dataset = await database.transaction((tx) =>
    ensureVersion(tx, version, async (id) => {
      for (const [index, shard] of shards.entries()) await insertShard(tx, id, index * ROWS_PER_SHARD, shard);
    }),
  );
  return resultOf(dataset);
}

function refuseUnusable(name: string, rows: readonly NewExample[]): void {
  const refuse = (where: string, expected: string, found: string): never => {
    throw new Failure(
      'InvalidInput',
      `${where}: expected ${expected}, found ${found}; nothing was imported: correct it and import it again`,
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
    text: { object, offset: 0, length: 0, sha256: '', ...packed.locations[index] },
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
  const added = await insertRows(
    tx,
    'examples',
    { shard: await shardId(tx, first.text.object) },
    rows.map(({ promptHash, problem, domain, source, line, text }) => ({
      prompt_hash: promptHash,
      problem,
      domain,
      source,
      line,
      text_offset: text.offset,
      text_length: text.length,
      text_sha256: text.sha256,
    })),
    { returning: 'id' },
  );
  // PostgreSQL numbers the rows in the order in which they are inserted.
  const ids = parseRows('examples', z.object({ id: z.int() }), added)
    .map(({ id }) => id)
    .sort((a, b) => a - b);
  const references = ids.map((example, index) => ({ ordinal: ordinal + index, example }));
  await insertRows(tx, 'dataset_rows', { dataset }, references);
}
