import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalNumerics, numericsChangeText, sameNumerics } from '../../../algorithm/run/numerics-changes.ts';
import type { Numerics } from '../../../contracts/numerics.ts';

const first: Numerics = {
  engine: 'onnxruntime',
  version: '1.30.0',
  device: 'cpu',
  instructionSet: 'avx2',
  threads: 2,
  deterministic: true,
};
const ours: Numerics = { ...first, computeDtype: 'float32', kernels: 'r1-layout-1' };

test('numerics of the first release are those of float32 in the first layout', () => {
  assert.ok(equalNumerics(first, ours));
  assert.ok(sameNumerics(first, ours));
  assert.equal(
    numericsChangeText({ before: first, after: { ...ours, threads: 1 } }),
    'onnxruntime 1.30.0 on cpu (avx2, 2 threads) → onnxruntime 1.30.0 on cpu (avx2, 1 thread)',
  );
});

test('any other field is another numerics, and is shown', () => {
  for (const [change, text] of [
    [{ computeDtype: 'bfloat16' }, '2 threads, bfloat16)'],
    [{ kernels: 'r1-layout-2' }, '2 threads, kernels r1-layout-2)'],
    [{ worldSize: 8 }, '2 threads, sums over 8 processes)'],
    [{ shardSize: 16 }, '2 threads, shards of 16 groups)'],
    [{ deterministic: false }, '2 threads, not deterministic)'],
  ] as const) {
    const after = { ...ours, ...change };
    assert.equal(equalNumerics(ours, after), false, text);
    assert.ok(numericsChangeText({ before: ours, after }).endsWith(text), text);
  }
  const loose = { ...ours, deterministic: false };
  assert.ok(equalNumerics(loose, loose));
  assert.equal(sameNumerics(loose, loose), false);
});
