import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRetryable, MathPool } from '../../rewards/math/pool.ts';

const slow = { groundTruth: '5', response: '\\boxed{\\sum_{k=1}^{10000000000} k}' };
const quick = { groundTruth: '1/2', response: 'so it is \\boxed{0.5}' };

test('a pool gives verdicts in the order of the requests, across batches and threads', async () => {
  const pool = new MathPool({ threads: 2, batchSize: 3, timeoutMs: 60_000 });
  const requests = Array.from({ length: 20 }, (_, i) => ({ groundTruth: '7', response: `\\boxed{${i}}` }));
  const verdicts = await pool.verify(requests);
  await pool.close();
  assert.deepEqual(
    verdicts,
    requests.map((_, i) => ({ score: i === 7 ? 1 : 0, extracted: String(i) })),
  );
});

test('an exceeded time limit is a retryable error and never a verdict; the pool continues', async () => {
  const pool = new MathPool({ timeoutMs: 0 });
  const [verdict] = await pool.verify([
    { ...slow, groundTruth: '\\pi'.repeat(300), response: slow.response.repeat(400) },
  ]);
  assert.ok(verdict && isRetryable(verdict));
  await pool.close();
  const patient = new MathPool({ timeoutMs: 60_000 });
  assert.deepEqual(await patient.verify([slow, quick]), [
    { score: 0, extracted: '\\sum_{k=1}^{10000000000} k' },
    { score: 1, extracted: '0.5' },
  ]);
  await patient.close();
});

test('an abort signal cancels only its own requests, waiting or running', async () => {
  const pool = new MathPool({ threads: 1, batchSize: 4 });
  const controller = new AbortController();
  const reason = new Error('nobody waits for it');
  const asked = (count: number) => Array(count).fill({ groundTruth: '4', response: '\\boxed{4}' });
  const gone = pool.verify(asked(100), controller.signal);
  const others = pool.verify(asked(20));
  controller.abort(reason);
  await assert.rejects(gone, reason);
  assert.deepEqual(
    new Set((await others).map((verdict) => 'score' in verdict && verdict.score)),
    new Set([1]),
  );
  await assert.rejects(pool.verify(asked(1), controller.signal), reason);
  await pool.close();
});
