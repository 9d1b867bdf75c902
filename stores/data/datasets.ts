import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type BuildDatasetInput,
  type BuildDatasetResult,
  type DatasetRule,
  datasetNameSchema,
  datasetRuleSchema,
  rejectionReasonSchema,
} from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import { sha256Schema } from '../../contracts/reference.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { asStored, insertRow, parseRows, readRow, readRows } from '../database/rows.ts';
import { branchName, branchValues, lockCurrentBranch } from '../runs/branches.ts';
import type { SamplePart } from './samples.ts';

const datasetSchema = z.object({
  id: z.int(),
  name: z.string(),
  version: z.int(),
  digest: sha256Schema,
  rule: asStored<DatasetRule>(datasetRuleSchema),
  /** digest of the weights that sampled; null where none or several did */
  policy: sha256Schema.nullable(),
  rows: z.int(),
  rejected: z.partialRecord(rejectionReasonSchema, z.int()),
  createdAt: z.iso.datetime(),
  /** when a batch first used it; null before */
  frozenAt: z.iso.datetime().nullable(),
});
export type Dataset = z.infer<typeof datasetSchema>;

const buildSchema = datasetSchema.extend({
  /** how many parts of samples it was made of */
  parts: z.int(),
});
type Build = z.infer<typeof buildSchema>;

const COLUMNS = `datasets.id, datasets.name, datasets.version, datasets.digest, datasets.rule, datasets.policy,
  datasets.row_count AS rows, datasets.rejected, datasets.created_at AS "createdAt", datasets.frozen_at AS "frozenAt"`;

/** A version before its rows are written. */
export type NewVersion = Pick<Dataset, 'name' | 'digest' | 'rule' | 'policy' | 'rows' | 'rejected'>;

/** What the digest covers of a row. */
export interface RowContent {
  /** the prompt's hash */
  prompt: string;
  /** SHA-256 of the text */
  text: string;
}

/**
 * The digest of a data set:
 *     SHA-256( JSON [name, rule, policy] ‖ "\n" ‖ for each row in order: prompt's hash ‖ " " ‖ text's SHA-256 ‖ "\n" )
 * with the fields of the rule sorted.
 */
export function datasetHash({ name, rule, policy }: Pick<Dataset, 'name' | 'rule' | 'policy'>) {
  const hash = createHash('sha256').update(`${JSON.stringify([name, sorted(rule), policy])}\n`);
  let rows = 0;
  return {
    add(contents: readonly RowContent[]): void {
      rows += contents.length;
      hash.update(contents.map(({ prompt, text }) => `${prompt} ${text}\n`).join(''));
    },
    end: () => ({ digest: hash.digest('hex'), rows }),
  };
}

/** Postgres orders the fields of a jsonb value itself. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  );
}

/** The version with this content: an existing one, or the next version of its name, whose rows `writeRows` writes. */
export async function ensureVersion(
  tx: Transaction,
  version: NewVersion,
  writeRows: (id: number) => Promise<void>,
): Promise<Dataset> {
  refuseName(version.name);
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('dataset ' || $1, 0))`, [version.name]);
  const found = await findByDigest(tx, version.digest);
  if (found !== null) return found;
  const created = await insertDataset(tx, version);
  await writeRows(created.id);
  await refuseOtherCount(tx, created);
  return created;
}

/** The name is locked: no other transaction takes the same number. */
async function insertDataset(
  tx: Transaction,
  { name, digest, rule, policy, rows, rejected }: NewVersion,
): Promise<Dataset> {
  const last = await readRow(
    tx,
    'datasets',
    z.object({ version: z.int() }),
    'SELECT coalesce(max(version), 0) AS version FROM datasets WHERE name = $1',
    [name],
  );
  const version = (last?.version ?? 0) + 1;
  const row = { name, version, digest, rule, policy, row_count: rows, rejected };
  const inserted = await insertRow(tx, 'datasets', row, { returning: COLUMNS });
  const [created] = parseRows('datasets', datasetSchema, inserted);
  if (created === undefined) throw new Error(`${name}: expected the new version’s row, found none`);
  return created;
}

function refuseName(name: string): void {
  const { error } = datasetNameSchema.safeParse(name);
  if (error === undefined) return;
  throw new Failure('InvalidInput', `data set ${JSON.stringify(name)}: ${error.issues[0]?.message}`);
}

const countSchema = z.object({ rows: z.int() });

async function refuseOtherCount(tx: Transaction, { id, name, version, rows }: Dataset): Promise<void> {
  const found = await readRow(
    tx,
    'dataset_rows',
    countSchema,
    'SELECT count(*) AS rows FROM dataset_rows WHERE dataset = $1',
    [id],
  );
  if (found?.rows === rows) return;
  throw new Failure(
    'Contradiction',
    `data set ${name}@${version}: expected ${rows} rows, found ${found?.rows}. Nothing was written.`,
  );
}

/** The data set that a branch has built under this name; null where it has built none. */
export async function findBuild(
  reader: Queryable,
  { key, name }: Pick<BuildDatasetInput, 'key' | 'name'>,
): Promise<Build | null> {
  const found = await readRow(
    reader,
    'datasets and dataset_builds',
    buildSchema,
    `SELECT ${COLUMNS}, b.parts FROM dataset_builds b JOIN datasets ON datasets.id = b.dataset
     WHERE b.run = $1 AND b.stage = $2 AND b.branch = $3 AND b.name = $4`,
    [...branchValues(key), name],
  );
  return found ?? null;
}

/**
 * Commits the data set that a branch builds: the accepted samples of `parts` in order, then the rows of the included
 * data sets. The same content is the same version, whichever branch built it first.
 * @throws Failure 'Contradiction' where the branch has built another one under this name.
 */
export async function commitBuild(
  database: Database,
  input: BuildDatasetInput,
  version: NewVersion,
  parts: readonly SamplePart[],
): Promise<Dataset> {
  return database.transaction(async (tx) => {
    // Hundreds of thousands of rows take longer than a statement of a step may.
    await tx.query('SET LOCAL statement_timeout = 0');
    await lockCurrentBranch(tx, input.key);
    const dataset = await ensureVersion(tx, version, async (id) => {
      let ordinal = 0;
      for (const part of parts) ordinal += await insertAccepted(tx, id, ordinal, part.id);
      for (const digest of input.include) ordinal += await insertIncluded(tx, id, ordinal, digest);
    });
    await recordBuild(tx, input, dataset);
    return dataset;
  });
}

async function insertAccepted(tx: Transaction, id: number, ordinal: number, part: number): Promise<number> {
  const inserted = await readRow(
    tx,
    'dataset_rows',
    countSchema,
    `WITH inserted AS (
       INSERT INTO dataset_rows (dataset, ordinal, part, sequence)
       SELECT $1, $2 + row_number() OVER (ORDER BY sequence) - 1, part, sequence
       FROM samples WHERE part = $3 AND reason IS NULL
       RETURNING 1
     ) SELECT count(*) AS rows FROM inserted`,
    [id, ordinal, part],
  );
  return inserted?.rows ?? 0;
}

async function insertIncluded(tx: Transaction, id: number, ordinal: number, digest: string): Promise<number> {
  const inserted = await readRow(
    tx,
    'dataset_rows',
    countSchema,
    `WITH inserted AS (
       INSERT INTO dataset_rows (dataset, ordinal, part, sequence, example)
       SELECT $1, $2 + r.ordinal, r.part, r.sequence, r.example
       FROM datasets d JOIN dataset_rows r ON r.dataset = d.id WHERE d.digest = $3
       RETURNING 1
     ) SELECT count(*) AS rows FROM inserted`,
    [id, ordinal, digest],
  );
  return inserted?.rows ?? 0;
}

async function recordBuild(tx: Transaction, input: BuildDatasetInput, dataset: Dataset): Promise<void> {
  const { run, stage, branch } = input.key;
  const row = { run, stage, branch, name: input.name, parts: input.parts, dataset: dataset.id };
  await insertRow(tx, 'dataset_builds', row, { onConflict: 'nothing' });
  const build = await findBuild(tx, input);
  if (build !== null) refuseOtherBuild(input, build, dataset.digest);
}

/** @throws Failure 'Contradiction' where the committed build has other content. */
export function refuseOtherBuild(
  { key, name, parts }: BuildDatasetInput,
  build: Build,
  digest: string,
): void {
  if (build.digest === digest && build.parts === parts) return;
  throw new Failure(
    'Contradiction',
    `${branchName(key)}: another data set ${name} is committed: expected ${build.digest} of ${build.parts} parts, ` +
      `found ${digest} of ${parts}. Nothing was written; the committed one stays.`,
  );
}

export const resultOf = ({ digest, name, version, rows }: Dataset): BuildDatasetResult => ({
  digest,
  name,
  version,
  rows,
});

/**
 * Marks a data set as used: from then on neither it nor its rows can change. Called in the transaction of the first
 * batch that is made of it, or in its own transaction.
 * @throws Failure 'InvalidInput' where no data set has that digest.
 */
export async function freezeDataset(writer: Queryable, digest: string): Promise<void> {
  const frozen = await writer.query(
    'UPDATE datasets SET frozen_at = now() WHERE digest = $1 AND frozen_at IS NULL RETURNING id',
    [digest],
  );
  if (frozen.length === 0) await getDataset(writer, digest);
}

async function findByDigest(reader: Queryable, digest: string): Promise<Dataset | null> {
  const sql = `SELECT ${COLUMNS} FROM datasets WHERE digest = $1`;
  const found = await readRow(reader, 'datasets', datasetSchema, sql, [digest]);
  return found ?? null;
}

/** Throws Failure 'InvalidInput' where there is no data set of that digest. */
export async function getDataset(reader: Queryable, digest: string): Promise<Dataset> {
  const found = await findByDigest(reader, digest);
  if (found !== null) return found;
  throw new Failure(
    'InvalidInput',
    `expected a data set with digest ${digest}, found none. \`r1 datasets\` lists them.`,
  );
}

/** NAME, NAME@VERSION; names of stages hold slashes. */
const NAME = /^([^@]+)(?:@(\d{1,9}))?$/;

/**
 * The data set that a person names: `NAME` (its last version) or `NAME@VERSION`.
 * @throws Failure 'InvalidInput' listing the latest data sets.
 */
export async function findDataset(reader: Queryable, named: string): Promise<Dataset> {
  const [, name, version] = NAME.exec(named) ?? [];
  const found = await readRow(
    reader,
    'datasets',
    datasetSchema,
    `SELECT ${COLUMNS} FROM datasets WHERE name = $1 AND ($2::integer IS NULL OR version = $2)
     ORDER BY version DESC LIMIT 1`,
    [name ?? named, version ?? null],
  );
  return found ?? refuseUnknown(reader, named);
}

const SHOWN = 8;

async function refuseUnknown(reader: Queryable, named: string): Promise<never> {
  const known = (await listDatasets(reader)).slice(0, SHOWN).map(({ name, version }) => `${name}@${version}`);
  throw new Failure(
    'InvalidInput',
    `expected a data set as NAME or NAME@VERSION, found none named ${JSON.stringify(named)}. ` +
      (known.length > 0 ? `The latest are ${known.join(', ')}.` : 'There is none yet.'),
  );
}

/** All data sets, the latest first. */
export async function listDatasets(reader: Queryable): Promise<Dataset[]> {
  return readRows(
    reader,
    'datasets',
    datasetSchema,
    `SELECT ${COLUMNS} FROM datasets ORDER BY created_at DESC, id DESC`,
  );
}

/** Where the rows of a data set come from. */
export interface DatasetOrigins {
  /** RUN/STAGE of the policies that sampled; empty where there is none */
  sampledBy: string[];
  /** the data sets that were joined to the samples, in order */
  included: { name: string; version: number; rows: number }[];
}

export async function readOrigins(
  reader: Queryable,
  { policy, rule }: Pick<Dataset, 'policy' | 'rule'>,
): Promise<DatasetOrigins> {
  const policies = await readRows(
    reader,
    'sample_parts',
    z.object({ name: z.string() }),
    `SELECT DISTINCT run || '/' || source_stage AS name FROM sample_parts WHERE policy = $1 ORDER BY name`,
    [policy],
  );
  const included: DatasetOrigins['included'] = [];
  for (const digest of rule.include) {
    const { name, version, rows } = await getDataset(reader, digest);
    included.push({ name, version, rows });
  }
  return { sampledBy: policies.map(({ name }) => name), included };
}
