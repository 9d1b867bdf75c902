import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nanoPreferencePairs, nanoSafetyLabels } from '../../../algorithm/nano/preferences.ts';
import {
  countPreferences,
  importPreferences,
  type NewPreference,
  readPreferences,
  splitOfPrompt,
} from '../../../stores/data/preferences.ts';
import { failure, migratedDatabase } from '../helpers.ts';

const source = 'preferences.jsonl';
type NewPair = Extract<NewPreference, { kind: 'pair' }>;

const pairs = (train: number, test: number): NewPair[] =>
  nanoPreferencePairs({ train, test, seed: 1 }).map((row, n) => ({
    kind: 'pair',
    ...row,
    source,
    line: n + 1,
  }));

test('pairs are imported in order, and a second time are the same set', async (t) => {
  const database = await migratedDatabase(t);
  const rows = pairs(2_500, 100);
  const set = await importPreferences(database, { name: 'nano', rows });
  assert.deepEqual([set.kind, set.train, set.test], ['pair', 2_500, 100]);
  assert.deepEqual(await importPreferences(database, { name: 'again', rows }), set);
  assert.equal(await countPreferences(database, set.digest, 'train'), 2_500);
  const read = await readPreferences(database, set.digest, 'train', [2_499, 0, 0]);
  const expected = [2_499, 0, 0].map((n) => {
    const { kind, prompt, chosen, rejected } = rows[n] ?? assert.fail();
    return { kind, prompt, chosen, rejected };
  });
  assert.deepEqual(read, expected);
});

test('labels keep whether they are safe, and their content decides their digest', async (t) => {
  const database = await migratedDatabase(t);
  const rows = nanoSafetyLabels({ train: 20, test: 5, seed: 2 }).map(
    (row, n): NewPreference => ({ kind: 'label', ...row, source, line: n + 1 }),
  );
  const set = await importPreferences(database, { name: 'safety', rows });
  assert.deepEqual(
    (await readPreferences(database, set.digest, 'test', [0, 1, 2, 3, 4])).map(
      (row) => row.kind === 'label' && row.safe,
    ),
    rows.slice(20).map((row) => row.kind === 'label' && row.safe),
  );
  const moved = rows.map((row) => ({ ...row, source: 'elsewhere' }));
  assert.equal((await importPreferences(database, { name: 'moved', rows: moved })).digest, set.digest);
  const turned = rows.map((row) => (row.kind === 'label' ? { ...row, safe: !row.safe } : row));
  assert.notEqual((await importPreferences(database, { name: 'turned', rows: turned })).digest, set.digest);
});

test('a place that a set does not have is refused', async (t) => {
  const database = await migratedDatabase(t);
  const { digest } = await importPreferences(database, { name: 'nano', rows: pairs(3, 2) });
  await assert.rejects(
    readPreferences(database, digest, 'test', [0, 2]),
    failure('InvalidInput', 'expected 2 test rows numbered up to 2', 'found 1'),
  );
});

test('a row that teaches nothing is refused with its file and line, and nothing is written', async (t) => {
  const database = await migratedDatabase(t);
  const rows: NewPreference[] = pairs(3, 2);
  const [, second = assert.fail()] = pairs(3, 2);
  const refusals: [NewPreference, ...string[]][] = [
    [{ ...second, rejected: second.chosen }, 'expected two different responses', 'chosen and rejected equal'],
    [{ ...second, prompt: ' \n' }, 'expected prompt to be a non-empty string', 'an empty text'],
    [{ ...second, rejected: '' }, 'expected rejected to be a non-empty string'],
    [{ ...second, chosen: 'a\0' }, 'a NUL character'],
    [
      {
        kind: 'label',
        prompt: 'p',
        response: 'r',
        safe: true,
        split: 'train',
        source,
        line: 2,
      },
      'every row a pair',
      'found a label',
    ],
    [
      { ...second, prompt: rows[4]?.prompt ?? '', split: 'train', line: 2 },
      'the prompt in one split',
      'line 2',
    ],
  ];
  for (const [row, ...words] of refusals) {
    const place = words.includes('line 2') ? 'preferences.jsonl line 5' : 'preferences.jsonl line 2';
    await assert.rejects(
      importPreferences(database, { name: 'nano', rows: rows.with(1, row) }),
      failure('InvalidInput', place, ...words),
    );
  }
  const sets = await database.query<{ sets: number }>('SELECT count(*) AS sets FROM preference_sets');
  assert.equal(sets[0]?.sets, 0);
});

test('held-out rows are told by their prompt: the share asked for, all rows of a prompt on one side', () => {
  const prompts = Array.from({ length: 2_000 }, (_, n) => `what is ${n}?`);
  const held = prompts.filter((prompt) => splitOfPrompt(prompt, 0.1) === 'test');
  assert.ok(Math.abs(held.length / 2_000 - 0.1) < 0.03, String(held.length));
  assert.deepEqual(
    prompts.filter((prompt) => splitOfPrompt(prompt, 0.1) === 'test'),
    held,
  );
});

test('preferences without held-out rows, or without any, are refused', async (t) => {
  const database = await migratedDatabase(t);
  const trainOnly = pairs(3, 2).filter(({ split }) => split === 'train');
  await assert.rejects(
    importPreferences(database, { name: 'nano', rows: trainOnly }),
    failure('InvalidInput', 'expected rows of the split test'),
  );
  await assert.rejects(
    importPreferences(database, { name: 'nano', rows: [] }),
    failure('InvalidInput', 'expected rows of the split train'),
  );
});
