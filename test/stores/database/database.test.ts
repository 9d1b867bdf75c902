import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createDatabase, databaseAddress } from '../../../stores/database/database.ts';
import { withStack } from '../../helpers/stack.ts';
import { emptyDatabase, failure, openDatabase } from '../helpers.ts';

const secretless = (secret: string) => (error: unknown) => {
  assert.ok(!inspect(error, { depth: 8, showHidden: true }).includes(secret), 'the error shows the password');
  return true;
};

test('a server that is not there is unavailable, told by its place and setting, without the password', async (t) => {
  const database = openDatabase(t, 'postgres://user:hunter2@127.0.0.1:1/r1');
  const query = database.query('SELECT 1');
  await assert.rejects(
    query,
    failure('Unavailable', 'PostgreSQL at 127.0.0.1:1/r1', 'R1_DATABASE_URL', 'ECONNREFUSED'),
  );
  await assert.rejects(query, secretless('hunter2'));
});

test('a wrong password and a missing database are refused for good', async (t) => {
  const { postgres } = await withStack(t);
  const wrong = new URL(postgres.url);
  wrong.password = 'hunter2';
  const refused = openDatabase(t, wrong.href).query('SELECT 1');
  await assert.rejects(refused, failure('InvalidInput', 'refused the user or password', 'R1_DATABASE_URL'));
  await assert.rejects(refused, secretless('hunter2'));
  const elsewhere = new URL(postgres.url);
  elsewhere.pathname = '/nowhere';
  await assert.rejects(
    openDatabase(t, elsewhere.href).query('SELECT 1'),
    failure('InvalidInput', 'no such database'),
  );
});

test('an address that is none is refused without showing it', () => {
  for (const url of ['postgres://user:hunter2@[::/r1', 'hunter2']) {
    assert.throws(() => createDatabase(url), failure('InvalidInput', 'R1_DATABASE_URL'));
    assert.throws(() => createDatabase(url), secretless('hunter2'));
  }
  assert.equal(databaseAddress('postgres://user:hunter2@db.example/r1'), 'db.example:5432/r1');
});

test('a transaction that throws leaves nothing behind', async (t) => {
  const database = await emptyDatabase(t);
  await database.query('CREATE TABLE numbers (n integer)');
  const work = database.transaction(async (tx) => {
    await tx.query('INSERT INTO numbers VALUES (1)');
    throw new Error('on purpose');
  });
  await assert.rejects(work, /on purpose/);
  assert.deepEqual(await database.query('SELECT * FROM numbers'), []);
});

test('times are ISO strings and 64-bit integers are numbers', async (t) => {
  const database = await emptyDatabase(t);
  const [row] = await database.query(
    `SELECT '2026-01-02 03:04:05.678+02'::timestamptz AS at, 3000000000::bigint AS n`,
  );
  assert.deepEqual({ ...row }, { at: '2026-01-02T01:04:05.678Z', n: 3_000_000_000 });
});

test('after the server cut every connection, the pool connects again by itself', async (t) => {
  const { postgres } = await withStack(t);
  const database = openDatabase(t, postgres.url);
  const other = openDatabase(t, postgres.url);
  const cut = () =>
    other.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  await database.query('SELECT 1');
  await cut();
  const inTransaction = database.transaction(async (tx) => {
    await tx.query('SELECT 1');
    await cut();
    await tx.query('SELECT 1');
  });
  await assert.rejects(inTransaction, failure('Unavailable'));
  assert.deepEqual((await database.query('SELECT 1 AS n')).length, 1);
});

test('a database without tables says how to make them', async (t) => {
  const database = await emptyDatabase(t);
  await assert.rejects(database.query('SELECT * FROM runs'), failure('InvalidInput', 'r1 up'));
});
