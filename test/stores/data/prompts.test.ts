import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseExactJson, stringifyExactJson } from '../../../contracts/exact-json.ts';
import { readPromptSet } from '../../../stores/data/imported-sets.ts';
import {
  countPrompts,
  importPromptSet,
  promptHash,
  readEntries,
  readPrompts,
} from '../../../stores/data/prompts.ts';
import type { Database, Transaction } from '../../../stores/database/database.ts';
import { failure, migratedDatabase, prompts } from '../helpers.ts';

test('5,000 prompts are imported in order, and a second time are the same set', async (t) => {
  const database = await migratedDatabase(t);
  const rows = prompts(5_000);
  const set = await importPromptSet(database, { name: 'sums', prompts: rows });
  assert.deepEqual([set.train, set.test], [4_500, 500]);
  assert.deepEqual(await importPromptSet(database, { name: 'again', prompts: rows }), set);
  assert.equal(await countPrompts(database, set.digest, 'train'), 4_500);
  const all = Array.from({ length: 4_500 }, (_, ordinal) => ordinal);
  const read = await readPrompts(database, set.digest, 'train', all);
  const expected = rows.filter(({ split }) => split === 'train').map(({ problem }) => problem);
  assert.deepEqual(
    read.map(({ problem }) => problem),
    expected,
  );
});

test('prompts come in the order asked for, also twice', async (t) => {
  const database = await migratedDatabase(t);
  const set = await importPromptSet(database, { name: 'sums', prompts: prompts(20) });
  const read = await readPrompts(database, set.digest, 'train', [3, 0, 3]);
  assert.deepEqual(
    read.map(({ answer }) => answer),
    ['4', '1', '4'],
  );
  const [, first] = read;
  assert.deepEqual(first, {
    prompt: promptHash(first ?? assert.fail()),
    problem: '1+0',
    answer: '1',
    domain: 'math',
  });
  assert.deepEqual(await readPrompts(database, set.digest, 'train', []), []);
  await assert.rejects(
    readPrompts(database, set.digest, 'test', [0, 2]),
    failure('InvalidInput', 'numbered up to 2', 'found 1'),
  );
});

test('a problem with another answer is another prompt of another set', async (t) => {
  const database = await migratedDatabase(t);
  const rows = prompts(3);
  const set = await importPromptSet(database, { name: 'right', prompts: rows });
  const corrected = rows.map((row, n) => (n === 1 ? { ...row, answer: 'corrected' } : row));
  const other = await importPromptSet(database, { name: 'corrected', prompts: corrected });
  assert.notEqual(other.digest, set.digest);
  const answers = async (digest: string) =>
    (await readPrompts(database, digest, 'train', [0, 1, 2])).map(({ answer }) => answer);
  assert.deepEqual(await answers(set.digest), ['1', '2', '3']);
  assert.deepEqual(await answers(other.digest), ['1', 'corrected', '3']);
});

test('sets that share prompts can be imported at once', async (t) => {
  const database = await migratedDatabase(t);
  const rows = prompts(3_000);
  const imports = [rows, [...rows].reverse(), rows.slice(100), rows].map((list) =>
    importPromptSet(database, { name: 'sums', prompts: list }),
  );
  const digests = (await Promise.all(imports)).map(({ digest }) => digest);
  assert.equal(new Set(digests).size, 3);
  assert.equal((await database.query('SELECT FROM prompts')).length, 3_000);
});

test('a row that comes twice or that Postgres cannot hold refuses the whole set by its line', async (t) => {
  const database = await migratedDatabase(t);
  const rows = prompts(5);
  const [first] = rows;
  const twice = [...rows, { ...(first ?? assert.fail()), line: 6 }];
  await assert.rejects(
    importPromptSet(database, { name: 'twice', prompts: twice }),
    failure('InvalidInput', 'sums.jsonl line 6', 'sums.jsonl line 1'),
  );
  const nul = rows.map((row) => (row.line === 4 ? { ...row, answer: 'a\0b' } : row));
  await assert.rejects(
    importPromptSet(database, { name: 'nul', prompts: nul }),
    failure('InvalidInput', 'sums.jsonl line 4', 'NUL'),
  );
  assert.deepEqual(await database.query('SELECT FROM prompts'), []);
});

test('a prompt that was altered after its import is refused when it is drawn or judged', async (t) => {
  const database = await migratedDatabase(t);
  const entry = { choices: ['a', 'b'], big: 1e15, deep: { y: 0.1, x: [true, null] } };
  const rows = prompts(4).map((row) => ({ ...row, entry }));
  const set = await importPromptSet(database, { name: 'sums', prompts: rows });
  const [drawn = assert.fail()] = await readPrompts(database, set.digest, 'train', [0]);
  assert.deepEqual([...(await readEntries(database, [drawn.prompt])).values()], [entry]);
  const changes = ["problem = '1+9'", "answer = '7'", "domain = 'code'", `entry = '{"choices":["b","a"]}'`];
  for (const change of changes) {
    const restore = await database.query(
      'SELECT problem, answer, domain, entry FROM prompts WHERE hash = $1',
      [drawn.prompt],
    );
    await database.query(`UPDATE prompts SET ${change} WHERE hash = $1`, [drawn.prompt]);
    const refused = failure('CorruptObject', drawn.prompt, 'altered');
    await assert.rejects(readPrompts(database, set.digest, 'train', [1, 0]), refused, change);
    await assert.rejects(readEntries(database, [drawn.prompt]), refused, change);
    assert.equal((await readPrompts(database, set.digest, 'train', [1])).length, 1);
    const [row = assert.fail()] = restore as { problem: string; answer: string; domain: string }[];
    await database.query(
      'UPDATE prompts SET problem = $2, answer = $3, domain = $4, entry = $5 WHERE hash = $1',
      [drawn.prompt, row.problem, row.answer, row.domain, JSON.stringify(entry)],
    );
  }
  assert.deepEqual(await readPrompts(database, set.digest, 'train', [0]), [drawn]);
});

test('integers of an entry keep their digits, and its hash hangs on its values alone', async (t) => {
  const database = await migratedDatabase(t);
  const entries = [
    '{"output": [9007199254740993, -1000000000000000000000000000001], "b": {"z": 1, "a": 0.1}}',
    '{"output": 9007199254740992, "large": 1e30, "tiny": 5e-324, "exact": 0.10000000000000000000001}',
    '{"output": 9007199254740992}',
  ].map((text) => parseExactJson(text) as Record<string, unknown>);
  const rows = prompts(3).map((row, n) => ({ ...row, entry: entries[n] }));
  const set = await importPromptSet(database, { name: 'large', prompts: rows });
  const hashes = rows.map(promptHash);
  const read = await readEntries(database, hashes);
  const [first] = rows.map(({ entry }) => stringifyExactJson(entry).match(/\d{16,}/g));
  assert.deepEqual(stringifyExactJson(read.get(hashes[0] ?? '')).match(/\d{16,}/g), first);
  const kept = await readPromptSet(database, set.digest);
  assert.deepEqual(kept.map(promptHash), hashes);
  assert.notEqual(promptHash({ ...rows[2], entry: { output: 9007199254740994 } } as never), hashes[2]);
});

test('the hash of a prompt without large numbers is that of its JSON', () => {
  const prompt = { problem: 'p\u2028', answer: 'a', domain: 'code' };
  const entry = { b: [1, 2.5, { d: null, c: 'é"' }], a: 1e21, z: -0, y: 1e-7 };
  const sorted = { a: 1e21, b: [1, 2.5, { c: 'é"', d: null }], y: 1e-7, z: -0 };
  const sha256 = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
  assert.equal(promptHash({ ...prompt, entry }), sha256(['p\u2028', 'a', 'code', sorted]));
  assert.equal(promptHash(prompt), sha256(['p\u2028', 'a', 'code']));
});

test('a set comes whole or not at all, its transaction writes the members alone, and no statement is large', async (t) => {
  const database = await migratedDatabase(t);
  const rows = prompts(2_500).map((row, n) =>
    n < 12 ? { ...row, entry: { tests: 'x'.repeat(2 ** 20) } } : row,
  );
  const broken = watched(database, { failsAt: 3 });
  await assert.rejects(
    importPromptSet(broken.database, { name: 'sums', prompts: rows }),
    /as the test wants/,
  );
  assert.deepEqual(await database.query('SELECT FROM prompt_sets'), []);
  assert.deepEqual(await database.query('SELECT FROM prompt_set_members'), []);
  const whole = watched(database);
  const set = await importPromptSet(whole.database, { name: 'sums', prompts: rows });
  assert.equal(await countPrompts(database, set.digest, 'train'), set.train);
  assert.ok(whole.inside.length >= 3 && whole.outside.length >= 4);
  for (const { sql } of whole.inside) assert.match(sql, /INSERT INTO prompt_set(s|_members)\b/);
  for (const { characters } of [...whole.inside, ...whole.outside])
    assert.ok(characters < 2 ** 23, `${characters}`);
});

/** A database whose statements are recorded; statement number `failsAt` inside a transaction fails. */
function watched(database: Database, { failsAt = 0 } = {}) {
  const inside: { sql: string; characters: number }[] = [];
  const outside: typeof inside = [];
  const noted = (list: typeof inside, sql: string, values: readonly unknown[] = []) => {
    list.push({ sql, characters: JSON.stringify(values).length });
  };
  const query: Database['query'] = (sql, values) => {
    noted(outside, sql, values);
    return database.query(sql, values);
  };
  const transaction: Database['transaction'] = (work) =>
    database.transaction((tx) => {
      const spy: Database['query'] = (sql, values) => {
        noted(inside, sql, values);
        if (inside.length === failsAt) throw new Error('as the test wants');
        return tx.query(sql, values);
      };
      return work({ query: spy } as Transaction);
    });
  return { database: { ...database, query, transaction }, inside, outside };
}
