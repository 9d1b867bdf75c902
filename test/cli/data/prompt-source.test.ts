import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readPromptSource } from '../../../cli/data/prompt-source.ts';
import { puzzleNames } from '../../../contracts/recipe.ts';

const places = (folder: string) => ({ folder, database: () => assert.fail('not asked for') });
const row = (problem: string, more: object = {}) =>
  JSON.stringify({ problem, answer: '1', domain: 'd', ...more });

async function folderOf(t: TestContext, files: Record<string, string[]>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-prompts-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, rows] of Object.entries(files)) await writeFile(join(folder, name), rows.join('\n'));
  return folder;
}

test('a file’s own rows with split test are held out', async (t) => {
  const folder = await folderOf(t, { 'a.jsonl': [row('x'), row('y', { split: 'test' })] });
  const { prompts } = await readPromptSource({ source: 'jsonl', path: 'a.jsonl' }, places(folder));
  assert.deepEqual(
    prompts.map(({ problem, split, line }) => [problem, split, line]),
    [
      ['x', 'train', 1],
      ['y', 'test', 2],
    ],
  );
});

test('every row of a file for evaluation is held out', async (t) => {
  const folder = await folderOf(t, { 'a.jsonl': [row('x')], 'b.jsonl': [row('y'), row('y')] });
  const source = { source: 'jsonl', path: 'a.jsonl', evaluation_path: 'b.jsonl' } as const;
  const { prompts, duplicates } = await readPromptSource(source, places(folder));
  assert.deepEqual(
    prompts.map(({ problem, split }) => [problem, split]),
    [
      ['x', 'train'],
      ['y', 'test'],
    ],
  );
  assert.equal(duplicates, 1);
});

test('a problem that is trained on cannot be held out', async (t) => {
  const folder = await folderOf(t, { 'a.jsonl': [row('x')], 'b.jsonl': [row('y'), row(' x ')] });
  const source = { source: 'jsonl', path: 'a.jsonl', evaluation_path: 'b.jsonl' } as const;
  await assert.rejects(readPromptSource(source, places(folder)), {
    name: 'InvalidInput',
    message: /^b\.jsonl line 2: expected a problem that is not trained on, found that of a\.jsonl line 1/,
  });
});

test('a row without an answer is refused with its line, a missing file by its name', async (t) => {
  const folder = await folderOf(t, { 'a.jsonl': [row('x'), '{"problem": "y", "domain": "d"}'] });
  await assert.rejects(readPromptSource({ source: 'jsonl', path: 'a.jsonl' }, places(folder)), {
    message: /^a\.jsonl line 2: answer: expected a non-empty string, found nothing/,
  });
  await assert.rejects(readPromptSource({ source: 'jsonl', path: 'none.jsonl' }, places(folder)), {
    name: 'InvalidInput',
    message: /^none\.jsonl: /,
  });
});

test('generated prompts are the same for the same recipe, and as many as asked for', async () => {
  const source = { source: 'nano-sums', terms: 3, limit: 20, train: 30, test: 10, seed: 0 } as const;
  const first = await readPromptSource(source, places('.'));
  assert.deepEqual(await readPromptSource(source, places('elsewhere')), first);
  assert.equal(first.prompts.filter(({ split }) => split === 'train').length, 30);
  assert.equal(first.prompts.length, 40);
});

test('every kind of puzzle can be the prompts of a recipe', async () => {
  for (const puzzle of puzzleNames) {
    const source = { source: 'puzzles', puzzle, difficulty: 2, train: 3, test: 1, seed: 0 } as const;
    const { prompts } = await readPromptSource(source, places('.'));
    assert.deepEqual(
      prompts.map(({ domain, split, line }) => [domain, split, line]),
      [1, 2, 3, 4].map((line) => [puzzle, line < 4 ? 'train' : 'test', line]),
    );
  }
});
