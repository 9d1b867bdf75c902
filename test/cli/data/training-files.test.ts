import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { examplesIn, readLinesText } from '../../../cli/data/training-files.ts';

const read = (...rows: (object | string)[]) =>
  examplesIn({
    name: 'e.jsonl',
    text: rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'),
  });

test('reasoning beside a response is kept as its thinking', () => {
  const [example] = read({ problem: 'a', response: 'x', reasoning_content: 'since so', note: 1 });
  assert.deepEqual(example, {
    problem: 'a',
    response: '<think>\nsince so\n</think>\n\nx',
    domain: 'hand-written',
    source: 'e.jsonl',
    line: 1,
  });
});

test('held-out rows, other thinking and broken characters are refused with line and field', () => {
  const ok = { problem: 'a', response: 'x' };
  const cases: [object | string, RegExp][] = [
    [{ ...ok, split: 'Test' }, /^e\.jsonl line 2: split: expected an example to learn from/],
    [{ ...ok, split: 'easy' }, /line 2: split: expected one of train/],
    [{ ...ok, response: '<think>y</think>x', thinking: 'z' }, /line 2: thinking: expected the thinking that/],
    ['{"problem": "a", "response": "\\ud800"}', /line 2: response: expected text of whole characters/],
  ];
  for (const [row, message] of cases) assert.throws(() => read(ok, row), { name: 'InvalidInput', message });
});

async function fileOf(t: TestContext, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-lines-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'e.jsonl'), bytes);
  return join(folder, 'e.jsonl');
}

test('a file that is no UTF-8 is refused with its line, one of UTF-16 with a mark is read', async (t) => {
  const latin = await fileOf(t, Buffer.from('{"problem": "a"}\n{"problem": "caf\xe9"}', 'latin1'));
  await assert.rejects(readLinesText(latin), {
    message: /e\.jsonl line 2: expected UTF-8, found the byte 0xe9/,
  });
  const wide = await fileOf(t, Buffer.from('\uFEFF{"problem": "é"}', 'utf16le'));
  assert.equal((await readLinesText(wide)).text, '{"problem": "é"}');
});
