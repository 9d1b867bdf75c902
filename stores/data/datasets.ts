import { createHash } from 'node:crypto';
import {
  type BuildDatasetInput,
  type BuildDatasetResult,
  type DatasetRule,
  datasetNameSchema,
  type RejectionReason,
} from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json } from '../database/json.ts';
import { branchName } from '../runs/branches.ts';
import { branchValues } from '../runs/lineage.ts';
import { refuseOldBranch, type SamplePart } from './samples.ts';

export interface Dataset {
  id: number;
  name: string;
  version: number;
  digest: string;
  rule: DatasetRule;
  /** digest of the weights that sampled; null where none or several did */
  policy: string | null;
  rows: number;
  rejected: Partial<Record<RejectionReason, number>>;
  createdAt: string;
  /** when a batch first used it; null before */
  frozenAt: string | null;
}

const COLUMNS = `d.id, d.name, d.version, d.digest, d.rule, d.policy, d.row_count AS rows, d.rejected,
  d.created_at AS "createdAt", d.frozen_at AS "frozenAt"`;

/** What a version is made of before its rows are there. */
export type NewVersion = Pick<Dataset, 'name' | 'digest' | 'rule' | 'policy' | 'rows' | 'rejected'>;

/** A row's content, as the digest sees it. */
export interface RowContent {
  prompt: string;
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

/** Postgres keeps the fields of a jsonb in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  );
}

/**
 * The version with this content: the one that is there, or the next of its name, whose rows `insertRows` then writes.
 */
export async function ensureVersion(
  tx: Transaction,
  version: NewVersion,
  insertRows: (id: number) => Promise<void>,
): Promise<Dataset> {
  refuseName(version.name);
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('dataset ' || $1, 0))`, [version.name]);
  const found = await findByDigest(tx, version.digest);
  if (found !== null) return found;
  const [created] = await tx.query<Dataset>(
    `INSERT INTO datasets AS d (name, version, digest, rule, policy, row_count, rejected)
     SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6 FROM datasets WHERE name = $1
     RETURNING ${COLUMNS}`,
    [version.name, version.digest, json(version.rule), version.policy, version.rows, json(version.rejected)],
  );
  if (created === undefined) throw new Error(`${version.name}: expected the new version’s row, found none`);
  await insertRows(created.id);
  await refuseOtherCount(tx, created);
  return created;
}

function refuseName(name: string): void {
  const { error } = datasetNameSchema.safeParse(name);
  if (error === undefined) return;
  throw new Failure('InvalidInput', `data set ${JSON.stringify(name)}: ${error.issues[0]?.message}`);
}

async function refuseOtherCount(tx: Transaction, { id, name, version, rows }: Dataset): Promise<void> {
  const [found] = await tx.query<{ rows: number }>(
    'SELECT count(*) AS rows FROM dataset_rows WHERE dataset = $1',
    [id],
  );
  if (found?.rows === rows) return;
  throw new Failure(
    'Contradiction',
    `data set ${name}@${version}: expected ${rows} rows, found ${found?.rows}. Nothing was written.`,
  );
}

/** What a branch made under this name before; null where nothing. */
export async function findBuild(
  reader: Queryable,
  { key, name }: Pick<BuildDatasetInput, 'key' | 'name'>,
): Promise<(Dataset & { parts: number }) | null> {
  const [found] = await reader.query<Dataset & { parts: number }>(
    `SELECT ${COLUMNS}, b.parts FROM dataset_builds b JOIN datasets d ON d.id = b.dataset
     WHERE b.run = $1 AND b.stage = $2 AND b.branch = $3 AND b.name = $4`,
    [...branchValues(key), name],
  );
  return found ?? null;
}

/**
 * Commits what a branch made: the accepted samples of `parts` in order, then the rows of the included data sets.
 * The same content is the same version, whoever made it first.
 * @throws Failure 'Contradiction' where the branch has made another one under this name.
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
    await refuseOldBranch(tx, input.key);
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
  const [inserted] = await tx.query<{ rows: number }>(
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
  const [inserted] = await tx.query<{ rows: number }>(
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
  await tx.query(
    `INSERT INTO dataset_builds (run, stage, branch, name, parts, dataset) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT DO NOTHING`,
    [...branchValues(input.key), input.name, input.parts, dataset.id],
  );
  const build = await findBuild(tx, input);
  if (build !== null) refuseOtherBuild(input, build, dataset.digest);
}

/** @throws Failure 'Contradiction' where a build of this identity has another content. */
export function refuseOtherBuild(
  { key, name, parts }: BuildDatasetInput,
  build: Dataset & { parts: number },
  digest: string,
): void {
  if (build.digest === digest && build.parts === parts) return;
  throw new Failure(
    'Contradiction',
    `${branchName(key)}: data set ${name} is committed otherwise: expected ${build.digest} of ${build.parts} parts, ` +
      `found ${digest} of ${parts}. Nothing was written; the committed one stands.`,
  );
}

export const resultOf = ({ digest, name, version, rows }: Dataset): BuildDatasetResult => ({
  digest,
  name,
  version,
  rows,
});

/**
 * Marks a data set as used: from here on neither it nor its rows can change. Called in the transaction of the
 * first batch that is made of it, or by itself.
 * @throws Failure 'InvalidInput' where there is none of that digest.
 */
export async function freezeDataset(writer: Queryable, digest: string): Promise<void> {
  const frozen = await writer.query(
    'UPDATE datasets SET frozen_at = now() WHERE digest = $1 AND frozen_at IS NULL RETURNING id',
    [digest],
  );
  if (frozen.length === 0) await getDataset(writer, digest);
}

async function findByDigest(reader: Queryable, digest: string): Promise<Dataset | null> {
  const [found] = await reader.query<Dataset>(`SELECT ${COLUMNS} FROM datasets d WHERE d.digest = $1`, [
    digest,
  ]);
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
 * @throws Failure 'InvalidInput' telling which there are.
 */
export async function findDataset(reader: Queryable, named: string): Promise<Dataset> {
  const [, name, version] = NAME.exec(named) ?? [];
  const [found] = await reader.query<Dataset>(
    `SELECT ${COLUMNS} FROM datasets d WHERE d.name = $1 AND ($2::integer IS NULL OR d.version = $2)
     ORDER BY d.version DESC LIMIT 1`,
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
  return reader.query<Dataset>(`SELECT ${COLUMNS} FROM datasets d ORDER BY d.created_at DESC, d.id DESC`);
}

/** Where the rows of a data set come from. */
export interface DatasetOrigins {
  /** RUN/STAGE of the policies that sampled; empty where none did */
  sampledBy: string[];
  /** the data sets that were joined to the samples, in order */
  included: { name: string; version: number; rows: number }[];
}

export async function readOrigins(
  reader: Queryable,
  { policy, rule }: Pick<Dataset, 'policy' | 'rule'>,
): Promise<DatasetOrigins> {
  const policies = await reader.query<{ name: string }>(
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
