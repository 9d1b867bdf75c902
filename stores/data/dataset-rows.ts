import { z } from 'zod';
import { type Example, sampleVerdictSchema, textLocationSchema } from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import { sha256Schema } from '../../contracts/reference.ts';
import type { Database, Queryable } from '../database/database.ts';
import { readRow, readRows } from '../database/rows.ts';
import type { ObjectStore } from '../objects/objects.ts';
import { readTexts } from '../objects/texts.ts';
import { getDataset, type RowContent } from './datasets.ts';

const flatRowSchema = z.object({
  ordinal: z.int(),
  problem: z.string(),
  /** empty for an example */
  answer: z.string(),
  domain: z.string(),
  promptHash: sha256Schema,
  /** RUN/STAGE of the policy that sampled it, or the file or generator of an example */
  source: z.string(),
  /** null for an example */
  rewards: z.record(z.string(), sampleVerdictSchema).nullable(),
  truncated: z.boolean(),
  ...textLocationSchema.shape,
});

const fromFlat = ({ object, offset, length, sha256, ...row }: z.infer<typeof flatRowSchema>) => ({
  ...row,
  /** the location of its text */
  text: { object, offset, length, sha256 },
});
/** A row of a data set: an accepted sample or an example. */
export type DatasetRow = ReturnType<typeof fromFlat>;

const OF = 'dataset_rows, samples and examples';

/** Rows of dataset_rows as `r`; each has a sample or an example. */
const FROM = `
  FROM dataset_rows r
  LEFT JOIN samples s ON s.part = r.part AND s.sequence = r.sequence
  LEFT JOIN sample_parts p ON p.id = r.part
  LEFT JOIN prompts pr ON pr.hash = s.prompt
  LEFT JOIN examples e ON e.id = r.example
  JOIN text_shards t ON t.id = coalesce(p.shard, e.shard)`;

const COLUMNS = `r.ordinal, coalesce(pr.problem, e.problem) AS problem, coalesce(pr.answer, '') AS answer,
  coalesce(pr.domain, e.domain) AS domain, coalesce(s.prompt, e.prompt_hash) AS "promptHash",
  coalesce(p.run || '/' || p.source_stage, e.source) AS source, s.rewards, coalesce(s.truncated, false) AS truncated,
  t.object, coalesce(s.text_offset, e.text_offset) AS "offset", coalesce(s.text_length, e.text_length) AS length,
  coalesce(s.text_sha256, e.text_sha256) AS sha256`;

/** Rows from `ordinal` on, at most `limit`, in order. */
export async function listRows(
  reader: Queryable,
  id: number,
  ordinal: number,
  limit: number,
): Promise<DatasetRow[]> {
  const rows = await readRows(
    reader,
    OF,
    flatRowSchema,
    `SELECT ${COLUMNS} ${FROM} WHERE r.dataset = $1 AND r.ordinal >= $2 AND r.ordinal < $2 + $3 ORDER BY r.ordinal`,
    [id, ordinal, limit],
  );
  return rows.map(fromFlat);
}

/** How many rows a data set has. Throws Failure 'InvalidInput' where no data set has that digest. */
export async function countExamples(reader: Queryable, digest: string): Promise<number> {
  return (await getDataset(reader, digest)).rows;
}

/**
 * Rows by their ordinals, in the order of `ordinals`; an ordinal may come twice.
 * @throws Failure 'InvalidInput' where the data set or a row does not exist; 'CorruptObject' where a text is not the one
 * that its row names.
 */
export async function readExamples(
  database: Database,
  objects: ObjectStore,
  digest: string,
  ordinals: readonly number[],
): Promise<Example[]> {
  const { id, name, version, rows: size } = await getDataset(database, digest);
  const rows = await readRows(
    database,
    OF,
    flatRowSchema,
    `SELECT ${COLUMNS} FROM unnest($2::integer[]) WITH ORDINALITY AS wanted (ordinal, nth)
     JOIN LATERAL (SELECT * FROM dataset_rows WHERE dataset = $1 AND ordinal = wanted.ordinal) r ON true
     ${FROM.replace('FROM dataset_rows r', '')} ORDER BY wanted.nth`,
    [id, [...ordinals]],
  );
  if (rows.length !== ordinals.length) {
    const missing = ordinals.find(
      (ordinal) => !(Number.isInteger(ordinal) && ordinal >= 0 && ordinal < size),
    );
    throw new Failure(
      'InvalidInput',
      `data set ${name}@${version}: expected rows from 0 to ${size - 1}, found ${missing}`,
    );
  }
  const texts = await readTexts(
    objects,
    rows.map((row) => fromFlat(row).text),
  );
  return rows.map(({ problem, domain, promptHash }, index) => ({
    problem,
    response: texts[index] ?? '',
    domain,
    promptHash,
  }));
}

const CONTENTS_PER_READ = 10_000;
const contentSchema = z.object({ prompt: sha256Schema, text: sha256Schema });

/** What the digest of a data set covers of each row, in order, in batches. */
export async function* rowContents(
  reader: Queryable,
  id: number,
  rows: number,
): AsyncGenerator<RowContent[]> {
  for (let ordinal = 0; ordinal < rows; ordinal += CONTENTS_PER_READ) {
    yield await readRows(
      reader,
      OF,
      contentSchema,
      `SELECT coalesce(s.prompt, e.prompt_hash) AS prompt, coalesce(s.text_sha256, e.text_sha256) AS text
       FROM dataset_rows r
       LEFT JOIN samples s ON s.part = r.part AND s.sequence = r.sequence
       LEFT JOIN examples e ON e.id = r.example
       WHERE r.dataset = $1 AND r.ordinal >= $2 AND r.ordinal < $2 + $3 ORDER BY r.ordinal`,
      [id, ordinal, CONTENTS_PER_READ],
    );
  }
}

/** What the digest of a data set covers of a part's accepted samples, in order. */
export async function acceptedContents(reader: Queryable, part: number): Promise<RowContent[]> {
  return readRows(
    reader,
    'samples',
    contentSchema,
    'SELECT prompt, text_sha256 AS text FROM samples WHERE part = $1 AND reason IS NULL ORDER BY sequence',
    [part],
  );
}

const rowsDiffSchema = z.object({
  /** rows of both */
  common: z.int(),
  onlyFirst: z.int(),
  onlySecond: z.int(),
});
/** How two data sets differ in their rows: the same prompt with the same text is the same row. */
export type RowsDiff = z.infer<typeof rowsDiffSchema>;

/** A row that a data set has twice counts twice. */
export async function diffRows(reader: Queryable, first: number, second: number): Promise<RowsDiff> {
  const contents = (parameter: string) =>
    `SELECT coalesce(s.prompt, e.prompt_hash) AS prompt, coalesce(s.text_sha256, e.text_sha256) AS text, count(*) AS times
     FROM dataset_rows r
     LEFT JOIN samples s ON s.part = r.part AND s.sequence = r.sequence
     LEFT JOIN examples e ON e.id = r.example
     WHERE r.dataset = ${parameter} GROUP BY 1, 2`;
  const diff = await readRow(
    reader,
    OF,
    rowsDiffSchema,
    `SELECT coalesce(sum(least(coalesce(a.times, 0), coalesce(b.times, 0))), 0)::bigint AS common,
       coalesce(sum(greatest(coalesce(a.times, 0) - coalesce(b.times, 0), 0)), 0)::bigint AS "onlyFirst",
       coalesce(sum(greatest(coalesce(b.times, 0) - coalesce(a.times, 0), 0)), 0)::bigint AS "onlySecond"
     FROM (${contents('$1')}) a FULL JOIN (${contents('$2')}) b USING (prompt, text)`,
    [first, second],
  );
  return diff ?? { common: 0, onlyFirst: 0, onlySecond: 0 };
}
