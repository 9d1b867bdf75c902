import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type VerifiedRow, verifyRows } from '../../../cli/data/verify.ts';
import { type Scorer, verifyDomains } from '../../../cli/data/verify-domains.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

async function verified(judge: Scorer, chunks: string[]) {
  const rows: VerifiedRow[] = [];
  async function* input() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const summary = await verifyRows(input(), 'rows.jsonl', judge, async (row) => {
    rows.push(row);
  });
  return { rows, summary };
}

async function scoresIn(t: TestContext, domain: string, rows: object[], options = {}) {
  const judge = await verifyDomains[domain]?.(options);
  assert.ok(judge);
  t.after(() => judge.close?.());
  const lines = rows.map((row) => `${Buffer.from(JSON.stringify(row)).toString('latin1')}\n`);
  const { rows: found } = await verified(judge, lines);
  return found.map((row) => ('score' in row ? row.score : row.error.kind));
}

test('in every domain that judges an answer, thinking that never ends has none', async (t) => {
  const rewards = ['format', 'language', 'length', 'repetition'];
  const domains = Object.keys(verifyDomains).filter((domain) => !rewards.includes(domain));
  assert.ok(domains.length >= 10);
  for (const domain of domains) {
    const rows = ['<think>4', '<think>4</think>\n', '4</think>'].map((response) => ({ entry: {}, response }));
    assert.deepEqual(await scoresIn(t, domain, rows), [0, 0, 0], domain);
  }
});

test('rows are scored by the verifier of their domain', async (t) => {
  const gcd = { question: '', answer: '15', metadata: { source_dataset: 'gcd' } };
  const cases: Record<string, [unknown, string, number | string][]> = {
    math: [
      [{ answer: '\\frac{1}{2}' }, 'It is \\boxed{0.5}', 1],
      [{ answer: 42 }, '<answer>41</answer>', 0],
      [{}, '1', 'ground-truth'],
    ],
    science: [
      [{ choices: ['x', 'y'], answer: 'B' }, '(B)', 1],
      [{ choices: ['x', 'y'], answer: 'B' }, 'A or B', 0],
      [{ choices: ['x', 'y'] }, 'B', 'ground-truth'],
    ],
    'reasoning-gym': [
      [gcd, '<answer>15</answer>', 1],
      [gcd, '1515', 0],
      [{ ...gcd, metadata: { source_dataset: 'nothing' } }, '15', 'unknown-task'],
    ],
    countdown: [[{ numbers: [2, 3], target: 6 }, '3*2', 1]],
    logic: [
      [{ domain: 'puzzle24', numbers: [3, 3, 8, 8] }, '8/(3-8/3)', 1],
      [{ domain: 'poker' }, '', 'ground-truth'],
    ],
    format: [[{}, '<think>a</think><answer>b</answer>', 1]],
    language: [[{ language: 'de' }, '<think>Zuerst addieren wir die Zahlen.</think>', 1]],
    repetition: [[{}, 'one two three', 0]],
    length: [
      [{ tokens: 90, max_completion_length: 100 }, 'x', -0.5],
      [{ max_completion_length: 100 }, 'a few words', 0],
      [{ soft_punish_cache: 0 }, 'x', 'ground-truth'],
    ],
  };
  for (const [domain, each] of Object.entries(cases)) {
    const rows = each.map(([entry, response]) => ({ entry, response }));
    const expected = each.map(([, , score]) => score);
    assert.deepEqual(await scoresIn(t, domain, rows), expected, domain);
  }
  assert.deepEqual(
    await scoresIn(t, 'reasoning-gym', [{ entry: gcd, response: '1515' }], { partial: true }),
    [0.5],
  );
});

test('code without a program scores 0, code that is no task is an error', async (t) => {
  const entry = { verification_info: { language: 'python', test_cases: [{ input: '1', output: '1' }] } };
  const rows = [
    { entry, response: 'no program' },
    { entry: {}, response: 'x' },
  ];
  assert.deepEqual(await scoresIn(t, 'code', rows), [0, 'ground-truth']);
});

/** Slower with its earlier rows. */
const slow: Scorer = {
  parallel: 4,
  async score(entry) {
    await new Promise((resolve) => setTimeout(resolve, 20 - Number(entry)));
    if (entry === 7) throw new Error('seven');
    return { score: Number(entry) / 100, extracted: 'é\u2028' };
  },
};

test('verdicts come in the order of the rows, wherever the stream is cut', async () => {
  const lines = Array.from({ length: 12 }, (_, entry) => JSON.stringify({ entry, response: 'é\u2028' }));
  const text = Buffer.from(lines.join('\r\n\n')).toString('latin1');
  for (const size of [1, 7, 1_000]) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      text.slice(i * size, (i + 1) * size),
    );
    const { rows, summary } = await verified(slow, chunks);
    assert.deepEqual(
      rows.map((row) => ('score' in row ? row.score : row.error.message)),
      [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 'rows.jsonl: line 15: seven', 0.08, 0.09, 0.1, 0.11],
    );
    assert.deepEqual([summary.rows, summary.scored, summary.firstBad], [12, 11, null]);
  }
});

test('a line that is no row is an error that names its place, and the rows after it are scored', async () => {
  const { rows, summary } = await verified(slow, [
    '{"entry": 1, "response": "x"}\n',
    'nonsense\n[]\n{"entry":1}\n',
    '{"entry": 2, "response": "x"}',
  ]);
  const found = rows.map((row) => ('score' in row ? row.score : row.error.message));
  assert.deepEqual(found, [
    0.01,
    'rows.jsonl: line 2: expected a row in JSON, found nonsense',
    'rows.jsonl: line 3: expected {"entry": …, "response": "…"}, found []',
    'rows.jsonl: line 4: expected {"entry": …, "response": "…"}, found {"entry":1}',
    0.02,
  ]);
  assert.equal(summary.firstBad, found[1]);
});

function r1(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(PROJECT_ROOT, 'cli', 'r1.mjs'), 'verify', ...args],
    {
      encoding: 'utf8',
    },
  );
  return { status, rows: stdout.split('\n').filter(Boolean), stderr };
}

test('r1 verify writes a row for each, and says what it cannot use', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'verify-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'rows.jsonl');
  writeFileSync(file, '{"entry": {"answer": "37"}, "response": "The answer is 37."}\nno row\n');
  const run = r1('math', file);
  assert.equal(run.status, 2);
  const [first = '', second = ''] = run.rows;
  assert.deepEqual({ ...JSON.parse(first), ms: 0 }, { score: 1, extracted: '37', ms: 0 });
  assert.equal(JSON.parse(second).error.kind, 'row');
  assert.match(
    run.stderr,
    /2 rows: 1 scored, mean 1\.0000, 1 errors\nerror: .*rows\.jsonl: line 2: expected a row/,
  );
  const unknown = r1('maths', file);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /domain: expected one of math, .* found maths; did you mean math\?/);
  assert.match(r1('math', join(folder, 'none')).stderr, /expected a file of JSON lines, found none at/);
});
