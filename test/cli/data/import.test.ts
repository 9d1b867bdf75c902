import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { importDocument } from '../../../contracts/documents.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

function imported(t: TestContext, rows: object[], ...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'r1-import-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'rows.jsonl');
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  const command = [join(PROJECT_ROOT, 'cli/r1.mjs'), 'import', file, ...args];
  const environment = { ...process.env, R1_HOME: join(folder, 'home') };
  return spawnSync(process.execPath, command, { encoding: 'utf8', env: environment });
}

const row = (problem: string, answer: string) => ({ problem, answer, domain: 'math' });

test('a dry run shows what was found and refused, writes nothing and needs no stack', (t) => {
  const rows = [row('1+1=?', '2'), row('2+2=?', '\\frac{'), row('3+3=?', '')];
  const { status, stdout } = imported(t, rows, '--name', 'sums', '--dry-run', '--json');
  assert.equal(status, 0);
  const document = importDocument.parse(JSON.parse(stdout));
  assert.deepEqual([document.rows, document.refused, document.written], [1, 2, null]);
  assert.deepEqual(
    document.refusals.map(({ line, field }) => [line, field]),
    [
      [3, 'answer'],
      [2, 'answer'],
    ],
  );
  const text = imported(t, rows, '--name', 'sums', '--dry-run').stdout;
  assert.match(text, /math +1 +0/);
  assert.match(text, /rows\.jsonl line 2: answer: expected a ground truth that can be parsed/);
});

test('a dry run against files needs no stack, and says which answers are compared as text', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'r1-import-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const evaluation = join(folder, 'evaluation.jsonl');
  writeFileSync(
    evaluation,
    JSON.stringify(row('Say the numbers one two three four five six seven eight', '1')),
  );
  const rows = [
    row('Now say the numbers one two three four five six seven eight', '1'),
    { problem: 'Who?', answer: 'Ada', domain: 'trivia' },
  ];
  const args = ['--name', 'x', '--decontaminate-against', evaluation, '--dry-run'];
  const { status, stdout } = imported(t, rows, ...args, '--json');
  assert.equal(status, 0);
  const document = importDocument.parse(JSON.parse(stdout));
  assert.deepEqual([document.rows, document.contaminated, document.textDomains], [1, 1, ['trivia']]);
  assert.match(imported(t, rows, ...args).stdout, /The domain trivia has no verifier: only the exact text/);
});

test('what cannot be imported at all is refused, with what to do', (t) => {
  const cases: [object[], string[], RegExp][] = [
    [[row('1', '')], ['--name', 'x', '--dry-run'], /expected at least one usable row, found none/],
    [
      [{ colour: 'red' }],
      ['--name', 'x', '--dry-run'],
      /expected a row of a known layout[\s\S]*open-r1-math/,
    ],
    [[row('1', '1')], ['--name', 'No Name', '--dry-run'], /expected a name of lower-case letters/],
    [[row('1', '1')], ['--name', 'x', '--hold-out', '2'], /Expected a number above 0 and below 1/],
    [[row('1', '1')], ['--name', 'x'], /the stack is not running: start it with `r1 up`/],
  ];
  for (const [rows, args, message] of cases) {
    const { status, stderr } = imported(t, rows, ...args);
    assert.notEqual(status, 0);
    assert.match(stderr, message);
  }
});
