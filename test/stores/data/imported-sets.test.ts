import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gatherRows } from '../../../cli/data/import/gather.ts';
import { writeImport } from '../../../cli/data/import.ts';
import { readPromptSource } from '../../../cli/data/prompt-source.ts';
import { resolveData } from '../../../cli/launch/resolve.ts';
import { importedSet } from '../../../stores/data/imported-sets.ts';
import { readEntries, readPrompts } from '../../../stores/data/prompts.ts';
import { memoryObjects } from '../../activities/memory-objects.ts';
import { migratedDatabase } from '../helpers.ts';

test('an imported name means its latest set, whose entries the rewards find', async (t) => {
  const { database, objects, keep } = await ground(t);
  const prompt = (problem: string, split: string, entry?: object) => ({
    problem,
    answer: '1',
    domain: 'math',
    split,
    entry,
  });
  const old = await keep('sums', [prompt('z', 'train')]);
  const rows = [
    prompt('a', 'test', { b: 1, a: [2] }),
    prompt('b', 'train', { tests: [] }),
    prompt('c', 'train'),
  ];
  const written = await keep('sums', rows);
  assert.notEqual(written.digest, old.digest);
  assert.deepEqual([written.train, written.test], [2, 1]);

  const places = { folder: '/', database: async () => database };
  const { prompts } = await readPromptSource({ source: 'imported', name: 'sums' }, places);
  assert.deepEqual(
    prompts.map(({ problem, split, entry }) => [problem, split, entry]),
    [
      ['b', 'train', { tests: [] }],
      ['c', 'train', undefined],
      ['a', 'test', { a: [2], b: 1 }],
    ],
  );
  const drawn = await readPrompts(database, written.digest, 'train', [0, 1]);
  const entries = await readEntries(
    database,
    drawn.map(({ prompt: hash }) => hash),
  );
  assert.deepEqual([...entries.values()], [{ tests: [] }]);
  await writeImport({ database, objects }, 'again', { ...nothing, kind: 'prompts', prompts });
  assert.equal((await importedSet(database, 'again', 'prompts')).promptSet, written.digest);
});

test('pairs, labels and examples are kept as lines of JSON; another kind of name is refused', async (t) => {
  const { database, objects, keep } = await ground(t);
  const pairs = [{ prompt: 'p', chosen: 'c', rejected: 'r' }];
  await keep('pairs', pairs);
  const { object, rows } = await importedSet(database, 'pairs', 'preferences');
  assert.equal(rows, 1);
  const text = new TextDecoder().decode(await objects.get(object));
  assert.deepEqual(JSON.parse(text), pairs[0]);
  await assert.rejects(importedSet(database, 'pairs', 'prompts'), /expected prompts, found preferences/);
  await assert.rejects(importedSet(database, 'none', 'prompts'), /expected prompts, found none/);
});

const nothing = { files: [], rows: [], refused: [], duplicates: 0, contaminated: [] };

async function ground(t: TestContext) {
  const database = await migratedDatabase(t);
  const objects = memoryObjects();
  const folder = await mkdtemp(join(tmpdir(), 'r1-imported-'));
  t.after(() => rm(folder, { recursive: true }));
  const keep = async (name: string, rows: object[]) => {
    const file = join(folder, 'rows.jsonl');
    await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'));
    return writeImport({ database, objects }, name, await gatherRows([file], {}));
  };
  return { database, objects, keep };
}

test('a stage takes its examples, pairs and labels from imported sets', async (t) => {
  const { database, objects, keep } = await ground(t);
  const places = { folder: '/', database: async () => database, objects: async () => objects };
  await keep('worked', [{ problem: 'p', response: 'r', domain: 'math' }]);
  await keep('pairs', [
    { prompt: 'p', chosen: 'c', rejected: 'r' },
    { prompt: 'q', chosen: 'c', rejected: 'r' },
  ]);
  await keep(
    'labels',
    ['p', 'q'].flatMap((prompt) => [
      { prompt, response: 'r', is_safe: 1 },
      { prompt, response: 's', is_safe: 0 },
    ]),
  );
  const ranked = (name: string) => ({ source: 'imported', name, held_out: 0.5 });
  const stages = [
    { stage: 'cold-start', algorithm: 'sft', data: [{ source: 'imported', name: 'worked' }] },
    { stage: 'reward-model/helpfulness', algorithm: 'reward-model', preferences: ranked('pairs') },
    { stage: 'reward-model/safety', algorithm: 'reward-model', preferences: ranked('labels') },
  ];
  const { examples, preferences } = await resolveData(Object({ recipe: { stages }, ...places }));
  assert.deepEqual(examples['cold-start'], [
    [{ problem: 'p', response: 'r', domain: 'math', source: 'worked', line: 1 }],
  ]);
  assert.deepEqual(
    preferences['reward-model/helpfulness']?.map(({ prompt, split }) => [prompt, split]),
    [
      ['p', 'test'],
      ['q', 'train'],
    ],
  );
  assert.equal(preferences['reward-model/safety']?.length, 4);
  await assert.rejects(
    resolveData(Object({ recipe: { stages: [{ ...stages[1], preferences: ranked('labels') }] }, ...places })),
    /expected preferences, found labels/,
  );
});
