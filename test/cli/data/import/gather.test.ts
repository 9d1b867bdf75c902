import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { indexEvaluations } from '../../../../algorithm/data/decontamination.ts';
import { type GatherOptions, gatherRows } from '../../../../cli/data/import/gather.ts';
import { layoutNames } from '../../../../cli/data/import/layouts.ts';
import { findDataFiles } from '../../../../cli/data/import/read-rows.ts';
import { refuseUnverifiable } from '../../../../cli/data/import.ts';
import { tools } from '../../../rewards/support.ts';

after(() => tools.close());

async function folderOf(t: TestContext, files: Record<string, (object | string)[]>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-import-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, rows] of Object.entries(files)) {
    const lines = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row)));
    await writeFile(join(folder, name), lines.join('\n'));
  }
  return folder;
}

async function gathered(t: TestContext, rows: (object | string)[], options: GatherOptions = {}) {
  return gatherRows([join(await folderOf(t, { 'rows.jsonl': rows }), 'rows.jsonl')], options);
}

const chat = (question: string, answer: string) => [
  { role: 'user', content: question },
  { role: 'assistant', content: answer },
];

const TESTS = { language: 'python', test_cases: [{ input: '', output: '1' }] };
const SUDOKU = { question: 'gcd of 4, 6?', answer: '2', metadata: { source_dataset: 'gcd' } };

test('a row of each layout is told by its fields', async (t) => {
  const rows: Record<string, [object, object]> = {
    'reasoning-gym': [SUDOKU, { domain: 'reasoning-gym/gcd', answer: '2', problem: 'gcd of 4, 6?' }],
    code: [
      { prompt: 'Print 1', verification_info: JSON.stringify(TESTS) },
      { domain: 'code', problem: 'Print 1', entry: { verification_info: TESTS } },
    ],
    verl: [
      { prompt: [{ role: 'user', content: '1+1' }], ability: 'MATH', reward_model: { ground_truth: '2' } },
      { domain: 'math', problem: '1+1', answer: '2' },
    ],
    preferences: [
      { prompt: 'hi', chosen: chat('hi', 'hello'), rejected: 'go' },
      { prompt: 'hi', chosen: 'hello', rejected: 'go' },
    ],
    labels: [
      { prompt: 'hi', response: 'go', is_safe: 0 },
      { prompt: 'hi', response: 'go', safe: false },
    ],
    'multiple-choice': [
      { question: 'Which?', choices: { label: ['A', 'B'], text: ['x', 'all of the above'] }, answerKey: 'B' },
      { domain: 'science', answer: 'B', entry: { options: ['x', 'all of the above'], correct: 1 } },
    ],
    prompts: [
      { problem: 'p', answer: 'a', domain: 'd', entry: { x: 1 }, split: 'test' },
      { problem: 'p', answer: 'a', domain: 'd', entry: { x: 1 }, split: 'test' },
    ],
    gsm8k: [
      { question: 'How many?', answer: '6*7=42\n#### 1,042' },
      { problem: 'How many?', answer: '1,042', domain: 'math' },
    ],
    'open-r1-math': [
      { problem: 'x?', solution: 'so \\boxed{7}', answer: '7', problem_type: 'Algebra', generations: [] },
      { problem: 'x?', answer: '7', domain: 'math' },
    ],
    messages: [
      { messages: [{ role: 'system', content: 'Be kind.' }, ...chat('hi', 'hello')] },
      { problem: 'Be kind.\n\nhi', response: 'hello', domain: 'general' },
    ],
    examples: [
      { problem: 'p', response: 'r', domain: 'd' },
      { problem: 'p', response: 'r', domain: 'd' },
    ],
    'prompt-solution': [
      { prompt: [{ role: 'user', content: 'x?' }], solution: 'it is $\\boxed{\\frac{1}{2}}$.' },
      { problem: 'x?', answer: '\\frac{1}{2}', domain: 'math' },
    ],
    codeforces: [
      {
        description: 'Print one.',
        official_tests: [{ input: '', output: '1' }],
        generated_checker: 'print(1)',
        time_limit: 2,
      },
      { domain: 'code', answer: '1 tests' },
    ],
  };
  assert.deepEqual(Object.keys(rows).sort(), [...layoutNames].sort());
  for (const [layout, [row, kept]] of Object.entries(rows)) {
    const found = await gathered(t, [row]);
    assert.equal(found.files[0]?.layout, layout);
    assert.deepEqual(found.refused, [], layout);
    const [item] = found.kind === 'prompts' ? found.prompts : found.rows;
    const known = Object.entries(item ?? {}).filter(([key]) => key in kept);
    assert.deepEqual(Object.fromEntries(known), kept, layout);
    assert.equal((await refuseUnverifiable(found.prompts, tools)).refused.length, 0, layout);
  }
});

test('Parquet is read row group by row group, whatever its compression, with nested values', async () => {
  const data = (name: string) => join(import.meta.dirname, 'data', name);
  for (const name of ['choices-snappy.parquet', 'choices-gzip.parquet']) {
    const { prompts, files } = await gatherRows([data(name)], {});
    assert.equal(files[0]?.layout, 'multiple-choice');
    assert.deepEqual(
      prompts.map(({ line, entry }) => [line, Object(entry).options[Object(entry).correct]]),
      [
        [1, '42'],
        [2, '4'],
      ],
    );
  }
  const { prompts } = await gatherRows([data('code-snappy.parquet')], {});
  const tests = [{ type: 'stdin_stdout', input: '', output: '1' }];
  assert.deepEqual(prompts[0]?.entry, { verification_info: { language: 'python', test_cases: tests } });
});

test('a bad row is refused with its line and field, and the others are kept', async (t) => {
  const row = (problem: string, answer = '1', more: object = {}) => ({
    problem,
    answer,
    domain: 'math',
    ...more,
  });
  const found = await gathered(t, [
    row('a'),
    '{"problem": ',
    row('b', ' '),
    row('a', '2'),
    row('c', '1', { split: 'easy' }),
    '[1]',
    row('a '),
    row('d', '\\frac{'),
  ]);
  assert.deepEqual(
    found.refused.map(({ line, field }) => [line, field]),
    [
      [2, ''],
      [3, 'answer'],
      [4, 'answer'],
      [5, 'split'],
      [6, ''],
    ],
  );
  assert.equal(found.duplicates, 1);
  const { verifiable, refused } = await refuseUnverifiable(found.prompts, tools);
  assert.deepEqual(
    verifiable.map(({ problem }) => problem),
    ['a'],
  );
  assert.deepEqual(
    refused.map(({ line, field }) => [line, field]),
    [[8, 'answer']],
  );
});

test('splits are the rows’ own, else what is asked for, else what file names say', async (t) => {
  const row = (problem: string, more: object = {}) => ({ problem, answer: '1', domain: 'math', ...more });
  const folder = await folderOf(t, {
    'test-00000-of-00001.jsonl': [row('a'), row('b', { split: 'train' })],
    'contest.jsonl': [row('c')],
  });
  const splits = async (options: GatherOptions) => {
    const { prompts } = await gatherRows(await findDataFiles([folder]), options);
    return Object.fromEntries(prompts.map(({ problem, split }) => [problem, split]));
  };
  assert.deepEqual(await splits({}), { a: 'test', b: 'train', c: 'train' });
  assert.deepEqual(await splits({ split: 'train' }), { a: 'train', b: 'train', c: 'train' });
});

test('the share held out hangs on problems alone, and is about as asked for', async (t) => {
  const rows = Array.from({ length: 2_000 }, (_, i) => ({ problem: `p${i}`, answer: '1', domain: 'math' }));
  const heldOut = async (given: object[]) => {
    const { prompts } = await gathered(t, given, { holdOut: 0.1 });
    return prompts.filter(({ split }) => split === 'test').map(({ problem }) => problem);
  };
  const held = await heldOut(rows);
  assert.ok(Math.abs(held.length / rows.length - 0.1) < 0.03);
  assert.deepEqual((await heldOut([...rows].reverse())).reverse(), held);
});

test('what shares ten words in a row with an evaluation is left out and named; held-out rows stay', async (t) => {
  const words = 'one two three four five six seven eight nine ten';
  const row = (problem: string, split = 'train') => ({ problem, answer: '1', domain: 'math', split });
  const options = { evaluations: indexEvaluations([`Zero ${words}?`]) };
  const found = await gathered(t, [row(`So ${words}!`), row('other'), row(`Hm: ${words}`, 'test')], options);
  assert.deepEqual(
    found.prompts.map(({ problem }) => problem),
    ['other', `Hm: ${words}`],
  );
  assert.deepEqual(
    found.contaminated.map(({ line, message }) => [line, message]),
    [[1, words]],
  );
});

test('files that cannot be told, or that are of two kinds, are refused before anything is read further', async (t) => {
  await assert.rejects(
    gathered(t, [{ colour: 'red' }]),
    /line 1: expected a row of a known layout, found one with the fields colour/,
  );
  const folder = await folderOf(t, {
    'a.jsonl': [{ problem: 'a', answer: '1', domain: 'math' }],
    'b.jsonl': [{ prompt: 'a', chosen: 'x', rejected: 'y' }],
  });
  await assert.rejects(
    gatherRows(await findDataFiles([folder]), {}),
    /b\.jsonl: expected prompts as in .*a\.jsonl, found preferences/,
  );
  await assert.rejects(findDataFiles([join(folder, 'none')]), /expected a file or folder, found none/);
  const broken = await folderOf(t, { 'x.parquet': ['PAR1 not really'] });
  await assert.rejects(
    gatherRows([join(broken, 'x.parquet')], {}),
    /expected a Parquet file that can be read/,
  );
});
