import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MIGRATIONS } from '../../../infra/paths.ts';
import type { Database } from '../../../stores/database/database.ts';
import { migrate } from '../../../stores/database/migrate.ts';
import { withStack } from '../../helpers/stack.ts';
import { emptyDatabase, failure, openDatabase } from '../helpers.ts';

async function copyOfMigrations(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  test.after(() => rm(folder, { recursive: true }));
  await cp(MIGRATIONS, folder, { recursive: true });
  return folder;
}

const tablesOf = async (database: Database) =>
  (
    await database.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    )
  ).map(({ name }) => name);

test('migrations run once, and a second time change nothing', async (t) => {
  const database = await emptyDatabase(t);
  assert.deepEqual(await migrate(database, MIGRATIONS), (await readdir(MIGRATIONS)).sort());
  const tables = await tablesOf(database);
  assert.ok(tables.includes('batches') && tables.includes('schema_migrations'));
  assert.deepEqual(await migrate(database, MIGRATIONS), []);
  assert.deepEqual(await tablesOf(database), tables);
});

test('of several processes that migrate at once, one runs the migrations and the others find them run', async (t) => {
  const { postgres } = await withStack(t);
  const databases = Array.from({ length: 4 }, () => openDatabase(t, postgres.url));
  const ran = await Promise.all(databases.map((database) => migrate(database, MIGRATIONS)));
  const { length: all } = await readdir(MIGRATIONS);
  assert.deepEqual(
    ran.map(({ length }) => length).sort((a, b) => a - b),
    [0, 0, 0, all],
  );
});

test('a database of a newer schema is refused by the name of the migration, and left as it is', async (t) => {
  const database = await emptyDatabase(t);
  const newer = await copyOfMigrations(t);
  await writeFile(join(newer, '900_later.sql'), 'CREATE TABLE later (a integer);');
  await migrate(database, newer);
  const tables = await tablesOf(database);
  await assert.rejects(
    migrate(database, MIGRATIONS),
    failure('InvalidInput', 'newer release (900_later.sql)', 'R1_DATABASE_URL'),
  );
  assert.deepEqual(await tablesOf(database), tables);
});

test('a migration that was changed after it ran is refused, and later ones are not run', async (t) => {
  const database = await emptyDatabase(t);
  await migrate(database, MIGRATIONS);
  const changed = await copyOfMigrations(t);
  await appendFile(join(changed, '002_log.sql'), '-- changed\n');
  await writeFile(join(changed, '900_later.sql'), 'CREATE TABLE later (a integer);');
  await assert.rejects(
    migrate(database, changed),
    failure('InvalidInput', 'migration 002_log.sql', 'Nothing was written'),
  );
  assert.ok(!(await tablesOf(database)).includes('later'));
});

test('a migration that fails takes all others of the same call back', async (t) => {
  const database = await emptyDatabase(t);
  const broken = await copyOfMigrations(t);
  await writeFile(join(broken, '900_broken.sql'), 'CREATE TABLE half (a integer); SELECT 1 / 0;');
  await assert.rejects(migrate(database, broken), /division by zero/);
  assert.deepEqual(await tablesOf(database), []);
});
