import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { normalizeProblem } from '../../../algorithm/data/prompt-row.ts';
import { linesOf, readPromptRows } from '../../../algorithm/data/prompt-rows.ts';
import { Failure } from '../../../contracts/failures.ts';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const options = { source: 'prompts.jsonl', hashOf };
const row = { problem: '1+2=?', answer: '3', domain: 'math' };
const read = (...rows: unknown[]) =>
  readPromptRows(
    rows.map((value) => JSON.stringify(value)),
    options,
  );

function refusal(lines: string[]): string {
  try {
    readPromptRows(lines, options);
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'InvalidInput');
    return error.message;
  }
  return assert.fail('the rows were taken');
}

test('rows keep their order, their line, and the hash of the normalised problem', () => {
  const { prompts } = readPromptRows(
    linesOf(
      '\uFEFF{"problem":" 1+2 \\n =? ","answer":"3","domain":"math"}\r\n\n{"problem":"2+2","answer":"4","domain":"m","split":"test"}\n',
    ),
    options,
  );
  assert.deepEqual(
    prompts.map(({ line, split, source }) => [line, split, source]),
    [
      [1, 'train', 'prompts.jsonl'],
      [3, 'test', 'prompts.jsonl'],
    ],
  );
  assert.equal(prompts[0]?.hash, hashOf('1+2 =?'));
  assert.equal(prompts[0]?.problem, ' 1+2 \n =? ', 'the text itself is kept as it is');
});

test('problems are the same under composed letters and runs of white space', () => {
  assert.equal(normalizeProblem(' e\u0301  1\n2\t'), 'é 1 2');
});

test('duplicates are counted and left out, and fields that nothing reads are named', () => {
  const { prompts, duplicates, ignoredFields } = read(
    row,
    { ...row, problem: ' 1+2=? ', answer: '3 ', uuid: 'x' },
    { ...row, problem: '2+2=?', source: 's' },
    row,
  );
  assert.deepEqual([prompts.length, duplicates], [2, 2]);
  assert.deepEqual(ignoredFields, ['source', 'uuid']);
});

test('a row without an answer at line 4711 is refused by line and field', () => {
  const lines = Array.from({ length: 5_000 }, (_, index) =>
    JSON.stringify({ ...row, problem: `${index}=?` }),
  );
  lines[4_710] = JSON.stringify({ problem: 'p', domain: 'math' });
  assert.equal(
    refusal(lines),
    'prompts.jsonl line 4711: answer: expected a non-empty string, found nothing; ' +
      'nothing was imported: fix the file and import it again',
  );
});

test('each wrong field is refused with what was expected and what was found', () => {
  const cases: [unknown, RegExp][] = [
    [{ ...row, answer: true }, /line 1: answer: expected a non-empty string, found true/],
    [{ ...row, answer: null }, /answer: expected a non-empty string, found null/],
    [{ ...row, problem: ' ' }, /problem: expected a non-empty string, found " "/],
    [{ ...row, domain: undefined }, /domain: expected a non-empty string, found nothing/],
    [{ ...row, split: 'easy' }, /split: expected "train" or "test", found "easy"/],
    [{ ...row, problem: ['x'.repeat(100)] }, /problem: expected a non-empty string, found \["x+…/],
    [[row], /line 1: expected a JSON object, found \[/],
    ['text', /line 1: expected a JSON object, found "text"/],
    [null, /line 1: expected a JSON object, found null/],
  ];
  for (const [value, message] of cases) assert.match(refusal([JSON.stringify(value)]), message);
  assert.match(
    refusal([JSON.stringify(row), '{"problem":']),
    /line 2: expected a JSON object, found .*not JSON/,
  );
});

test('numbers keep their digits, and other names of held-out rows hold out', () => {
  const { prompts } = readPromptRows(
    [
      '{"problem": "a", "answer": 9007199254740993, "domain": "m", "split": "Validation"}',
      '{"problem": "b", "answer": "1", "domain": "m", "entry": {"limit": 9007199254740993}, "split": "train"}',
    ],
    options,
  );
  assert.deepEqual(
    prompts.map(({ answer, entry, split }) => [answer, entry, split]),
    [
      ['9007199254740993', undefined, 'test'],
      ['1', { limit: 9007199254740993n }, 'train'],
    ],
  );
});

test('a problem answered in two ways, or put into both splits, is refused with both lines', () => {
  assert.match(
    refusal([row, { ...row, problem: '1+2=? ', answer: '4' }].map((value) => JSON.stringify(value))),
    /line 2: answer: expected "3" as on line 1 for the same problem, found "4"/,
  );
  assert.match(
    refusal([row, { ...row, split: 'test' }].map((value) => JSON.stringify(value))),
    /line 2: split: expected "train" as on line 1 for the same problem, found "test"/,
  );
});

test('a file without a row is refused', () => {
  assert.match(refusal(['', '  ']), /prompts.jsonl: expected at least one row, found none/);
});

test('integers of an entry keep their digits, and so does an answer that is one', () => {
  const line = (fields: string) => `{"problem":"p","domain":"code",${fields}}`;
  const { prompts } = readPromptRows([line('"answer":"a","entry":{"output":9007199254740993}')], options);
  assert.deepEqual(prompts[0]?.entry, { output: 9007199254740993n });
  const [row] = readPromptRows([line('"answer":12345678901234567890')], options).prompts;
  assert.equal(row?.answer, '12345678901234567890');
});
