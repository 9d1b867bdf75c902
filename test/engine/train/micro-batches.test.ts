import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  flatten,
  layOut,
  layOutPacked,
  planMicroBatches,
  planPacked,
  planPairs,
  type Sequence,
  unflatten,
} from '../../../engine/train/micro-batches.ts';

function sequence(promptLength: number, completionLength: number): Sequence {
  return {
    promptTokens: Int32Array.from({ length: promptLength }, (_, i) => 1 + i),
    completionTokens: Int32Array.from({ length: completionLength }, (_, i) => 20 + i),
  };
}

test('sequences are sorted by padded length, equal ones stay in batch order', () => {
  const plans = planMicroBatches([sequence(2, 20), sequence(2, 3), sequence(2, 19), sequence(2, 4)], 1000);
  assert.deepEqual(plans, [{ rows: [[1], [3], [0], [2]], length: 24 }]);
});

test('a micro-batch holds at most the given positions, padding included, and at least one sequence', () => {
  const plans = planMicroBatches([sequence(2, 3), sequence(2, 4), sequence(2, 15), sequence(2, 100)], 32);
  assert.deepEqual(plans, [
    { rows: [[0], [1]], length: 8 },
    { rows: [[2]], length: 16 },
    { rows: [[3]], length: 104 },
  ]);
});

test('the laid-out arrays name for each scored token the position that predicts it', () => {
  const arrays = layOut([sequence(2, 3), sequence(3, 1)], { rows: [[1], [0]], length: 4 });
  assert.deepEqual([...arrays.tokens], [1n, 2n, 3n, 0n, 1n, 2n, 20n, 21n]);
  assert.deepEqual([...arrays.rows], [2n, 5n, 6n, 7n]);
  assert.deepEqual([...arrays.targets], [20n, 20n, 21n, 22n]);
  assert.deepEqual([...arrays.rowsInverse], [4n, 4n, 0n, 4n, 4n, 1n, 2n, 3n]);
  assert.deepEqual([...arrays.sequenceOf], [0n, 1n, 1n, 1n]);
});

test('what is flattened for a micro-batch comes back to its sequences', () => {
  const values = [Float32Array.of(1, 2, 3), Float32Array.of(4)];
  const plan = { rows: [[1], [0]], length: 8 };
  const flat = flatten(values, plan);
  assert.deepEqual([...flat], [4, 1, 2, 3]);
  const back = [new Float32Array(3), new Float32Array(1)];
  unflatten(flat, plan, back);
  assert.deepEqual(back, values);
});

test('packed sequences fill rows as long as the longest of them', () => {
  const plans = planPacked([sequence(2, 3), sequence(2, 15), sequence(3, 4), sequence(2, 3)], 1000);
  assert.deepEqual(plans, [{ rows: [[1], [2, 0, 3]], length: 16 }]);
});

test('a pair stays together at the length of its longer side', () => {
  const plans = planPairs([sequence(2, 20), sequence(2, 3), sequence(2, 3), sequence(2, 4)], 40);
  assert.deepEqual(plans, [
    { rows: [[2], [3]], length: 8 },
    { rows: [[0], [1]], length: 24 },
  ]);
});

test('positions begin anew in each packed sequence, and each sees itself alone', () => {
  const { positions, attentionMask } = layOutPacked([sequence(1, 2), sequence(2, 2)], {
    rows: [[1, 0]],
    length: 6,
  });
  assert.deepEqual([...positions], [0n, 1n, 2n, 0n, 1n, 0n]);
  const seen = Array.from({ length: 6 }, (_, row) =>
    [...attentionMask.subarray(row * 6, row * 6 + 6)].map((value) => (value === 0 ? 'x' : '.')).join(''),
  );
  assert.deepEqual(seen, ['x.....', 'xx....', 'xxx...', '...x..', '...xx.', '.....x']);
});
