import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Queryable } from '../../../stores/database/database.ts';
import { asStored, insertRow, insertRows, parseRows, readRow } from '../../../stores/database/rows.ts';
import { SQL_TYPES, tables } from '../../../stores/database/tables.ts';
import { databaseWithRun, digest, failure, KEY, migratedDatabase } from '../helpers.ts';

/** Keeps statements instead of running them. */
function recorder() {
  const statements: { sql: string; values: readonly unknown[] }[] = [];
  const writer: Queryable = {
    query: async (sql, values = []) => {
      statements.push({ sql, values });
      return [];
    },
  };
  return { writer, statements };
}

test('the listed columns are in the migrated tables with their types, and none that a row needs is missing', async (t) => {
  const database = await migratedDatabase(t);
  const found = await database.query<{ table: string; column: string; type: string; optional: boolean }>(
    `SELECT table_name AS table, column_name AS column, data_type AS type,
       is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' AS optional
     FROM information_schema.columns WHERE table_schema = 'public'`,
  );
  for (const [table, columns] of Object.entries(tables)) {
    const actual = found.filter((each) => each.table === table);
    for (const [column, listed] of Object.entries(columns)) {
      assert.match(`${table}.${column}`, /^[a-z_]+\.[a-z0-9_]+$/);
      const { type, optional } = actual.find((each) => each.column === column) ?? {};
      assert.equal(type, SQL_TYPES[listed.replace('?', '') as keyof typeof SQL_TYPES], `${table}.${column}`);
      if (listed.endsWith('?')) assert.equal(optional, true, `${table}.${column} may be left out`);
    }
    const missing = actual.filter(({ column, optional }) => !optional && !Object.hasOwn(columns, column));
    assert.deepEqual(missing, [], `${table} lists what a row needs`);
  }
});

test('a row is inserted by the names of its columns, with its values as parameters', async () => {
  const { writer, statements } = recorder();
  const name = "'); DROP TABLE runs; --";
  await insertRow(writer, 'prompt_sets', { digest: digest('a'), name }, { onConflict: 'nothing' });
  const [statement] = statements;
  assert.match(
    statement?.sql ?? '',
    /^INSERT INTO prompt_sets \(digest, name\) VALUES \(\$1::text, \$2::text\)/,
  );
  assert.deepEqual(statement?.values, [digest('a'), name]);
});

test('a column that the table does not list never becomes part of a statement', async () => {
  const { writer, statements } = recorder();
  const row = { digest: digest('a'), name: 'sums', 'name) SELECT 1; --': 'x' };
  await assert.rejects(
    insertRow(writer, 'prompt_sets', row),
    /expected a column of the table prompt_sets, found "name\)/,
  );
  await assert.rejects(insertRows(writer, 'prompt_sets', {}, [row]), /expected a column/);
  const inherited = { digest: digest('a'), name: 'sums', toString: 'x' };
  await assert.rejects(insertRow(writer, 'prompt_sets', inherited), /expected a column/);
  assert.deepEqual(statements, []);
});

test('many rows take one statement for some thousand rows, and for some million characters', async () => {
  const { writer, statements } = recorder();
  const rows = Array.from({ length: 10_000 }, (_, n) => ({ digest: digest(String(n)), name: `set ${n}` }));
  await insertRows(writer, 'prompt_sets', {}, rows);
  assert.deepEqual(
    statements.flatMap(({ values: [digests] }) => digests),
    rows.map((row) => row.digest),
  );
  assert.equal(statements.length, 5);
  statements.length = 0;
  const long = rows.slice(0, 4).map((row) => ({ ...row, name: 'x'.repeat(3_000_000) }));
  await insertRows(writer, 'prompt_sets', {}, long);
  assert.equal(statements.length, 4);
});

test('rows that do not name the same columns are refused', async () => {
  const { writer } = recorder();
  const rows = [
    { prompt_set: digest('a'), rows: 1, name: 'a', kind: 'prompts' },
    { object: {}, rows: 1, name: 'b', kind: 'labels' },
  ];
  await assert.rejects(
    insertRows(writer, 'imported_sets', {}, rows),
    /table imported_sets: expected rows with the columns/,
  );
});

test('rows come back in the order in which they were inserted, JSON and 64-bit seeds as they were', async (t) => {
  const database = await databaseWithRun(t);
  const uses = [
    { step: 2, alarm: 'b', value: 0.1 },
    { step: 1, alarm: 'a', value: 0.2 },
  ];
  const shared = { ...KEY, branch: 0, threshold: 1, action: 'note', text: 'x' };
  const returned = await insertRows(database, 'alarms', shared, uses, { returning: 'alarm' });
  assert.deepEqual(returned, [{ alarm: 'b' }, { alarm: 'a' }]);
  const run = await readRow(
    database,
    'runs',
    z.object({ seed: z.string(), list: z.array(z.int()) }),
    "SELECT seed::text AS seed, '[1, 2]'::jsonb AS list FROM runs",
  );
  assert.deepEqual(run, { seed: '18446744073709551615', list: [1, 2] });
});

test('a row that does not fit its schema is refused with table, column and value', async () => {
  const schema = z.object({ digestAfter: z.string(), numerics: z.object({ threads: z.int() }) });
  const rows = [{ digestAfter: 7, numerics: { threads: 'two' } }];
  assert.throws(
    () => parseRows('steps', schema, rows),
    failure(
      'CorruptObject',
      'a row of steps, column digest_after: expected a text, found 7',
      'column numerics (threads): expected a number, found "two"',
    ),
  );
});

test('a stored document is checked, and keeps what it says without defaults', () => {
  const schema = z.object({ rule: asStored(z.object({ kept: z.int().default(1), from: z.string() })) });
  assert.deepEqual(parseRows('datasets', schema, [{ rule: { from: 'a' } }]), [{ rule: { from: 'a' } }]);
  assert.throws(
    () => parseRows('datasets', schema, [{ rule: { from: 1 } }]),
    failure('CorruptObject', 'datasets, column rule: from: expected a text, found 1'),
  );
});
