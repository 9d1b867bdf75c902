import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradeCode } from '../../../rewards/code/grade.ts';
import { createSandbox } from '../../../rewards/code/index.ts';
import { DEFAULT_LIMITS, limitsWith } from '../../../rewards/code/limits.ts';

const sandbox = createSandbox({ parallel: 1 });
const TEST = { input: '1', output: '1' };

/** The error of an entry; null where it is accepted. No program runs, since the response has none. */
async function refusal(more: object, test_cases: unknown[] = [TEST]): Promise<string | null> {
  const entry = { verification_info: { language: 'python', test_cases }, ...more };
  const graded = await gradeCode(sandbox, entry, 'no program', 'pass-rate');
  if ('score' in graded) return null;
  assert.equal(graded.error.kind, 'ground-truth');
  assert.equal(graded.retry, undefined);
  return graded.error.message;
}

test('limits of contests are accepted', async () => {
  for (const time_limit of [0.1, 0.5, 1, 2, 15, 60, null]) assert.equal(await refusal({ time_limit }), null);
  for (const memory_limit of [1, 16, 256, 512.5, 1024, 4096, null])
    assert.equal(await refusal({ memory_limit }), null);
});

test('invalid limits, and limits in another unit, are rejected with what was expected and found', async () => {
  const absurd = [
    1e9,
    5_000_000,
    1e300,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    -1,
    0,
    1e-9,
    '2',
    '',
    true,
    [2],
    {},
  ];
  for (const limit of absurd) {
    assert.match(
      (await refusal({ time_limit: limit })) ?? '',
      /expected 0\.05 to 60 seconds.*found/s,
      String(limit),
    );
    assert.match(
      (await refusal({ memory_limit: limit })) ?? '',
      /expected 1 to 4096 megabytes.*found/s,
      String(limit),
    );
  }
  assert.match((await refusal({ time_limit: 2000 })) ?? '', /found 2000[\s\S]*time_limit/);
});

test('too many tests and too large tests are rejected', async () => {
  assert.equal(await refusal({}, Array(2_000).fill(TEST)), null);
  assert.match((await refusal({}, Array(2_001).fill(TEST))) ?? '', /at most 2000 tests.*found 2001 tests/);
  const large = { input: 'x'.repeat(2 ** 20), output: '' };
  assert.match((await refusal({}, Array(257).fill(large))) ?? '', /found 269484032 characters/);
  const call = { fn_name: 'f', input: [large.input], output: 1 };
  assert.match((await refusal({}, Array(257).fill(call))) ?? '', /found \d+ characters/);
});

test('limits of a run have maxima, and the wall limit must exceed the CPU limit', () => {
  for (const name of Object.keys(DEFAULT_LIMITS.run) as (keyof typeof DEFAULT_LIMITS.run)[]) {
    for (const value of [1e12, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => limitsWith({ run: { [name]: value } }), new RegExp(name), `${name} ${value}`);
  }
  assert.equal(limitsWith({ run: { cpuSeconds: 60 } }).run.wallSeconds, 240);
  assert.throws(() => limitsWith({ run: { cpuSeconds: 10, wallSeconds: 15 } }), /wallSeconds/);
});
