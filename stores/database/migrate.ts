import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { Database, Transaction } from './database.ts';
import { insertRow, readRow, readRows } from './rows.ts';

interface Migration {
  /** file name, `001_….sql`: migrations run in its order */
  name: string;
  sql: string;
  sha256: string;
}

const appliedSchema = z.object({ name: z.string(), sha256: z.string() });
type Applied = z.infer<typeof appliedSchema>;

const NAME = /^\d{3}_[a-z0-9_]+\.sql$/;
/** Any fixed number: the advisory lock that lets one process at a time migrate. */
const LOCK = 7_216_313;

/**
 * Brings the schema up to date: runs all missing migrations in one transaction, or none. Safe to run twice and by
 * several processes at once. Returns the names of the migrations that ran.
 * @throws Failure 'InvalidInput' where a newer release has migrated the database, or a migration that ran differs from
 * the file of that name; nothing is written then.
 */
export async function migrate(database: Database, folder: string): Promise<string[]> {
  const migrations = await readMigrations(folder);
  return database.transaction(async (tx) => {
    await tx.query(`SET LOCAL statement_timeout = 0`);
    await tx.query(`SET LOCAL lock_timeout = 0`);
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const applied = await readApplied(tx);
    refuseNewer(applied, migrations, database.address);
    refuseChanged(applied, migrations, database.address);
    const missing = migrations.slice(applied.length);
    for (const migration of missing) await run(tx, migration);
    return missing.map(({ name }) => name);
  });
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** The migrations that ran before, in order. Creates the table that lists them where it is missing. */
async function readApplied(tx: Transaction): Promise<Applied[]> {
  const table = await readRow(
    tx,
    'pg_class',
    z.object({ exists: z.boolean() }),
    `SELECT to_regclass('schema_migrations') IS NOT NULL AS exists`,
  );
  if (table?.exists) {
    const sql = 'SELECT name, sha256 FROM schema_migrations ORDER BY name';
    return readRows(tx, 'schema_migrations', appliedSchema, sql);
  }
  await tx.query(
    `CREATE TABLE schema_migrations (
       name   text PRIMARY KEY,
       sha256 text NOT NULL,
       ran_at timestamptz NOT NULL DEFAULT now()
     )`,
  );
  return [];
}

function refuseNewer(applied: readonly Applied[], migrations: readonly Migration[], address: string): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = applied.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length === 0) return;
  throw new Failure(
    'InvalidInput',
    `PostgreSQL at ${address}: expected the schema up to ${migrations.at(-1)?.name ?? 'none'}, found that of a newer ` +
      `release (${unknown.join(', ')}). Nothing was written; use that release, or another database (R1_DATABASE_URL).`,
  );
}

function refuseChanged(applied: readonly Applied[], migrations: readonly Migration[], address: string): void {
  const changed = applied.find(({ name, sha256 }, index) => {
    const migration = migrations[index];
    return migration?.name !== name || migration.sha256 !== sha256;
  });
  if (changed === undefined) return;
  const here = migrations.find(({ name }) => name === changed.name)?.sha256;
  throw new Failure(
    'InvalidInput',
    `PostgreSQL at ${address}: expected migration ${changed.name} with sha256 ${here} as in this release, found that it ran with sha256 ` +
      `${changed.sha256}, or after others. Nothing was written; use the release that ran it, or another database (R1_DATABASE_URL).`,
  );
}

async function run(tx: Transaction, { name, sql, sha256 }: Migration): Promise<void> {
  await tx.query(sql);
  await insertRow(tx, 'schema_migrations', { name, sha256 });
}
