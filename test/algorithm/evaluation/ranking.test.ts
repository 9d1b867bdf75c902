import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankAll, rankPairs } from '../../../algorithm/evaluation/ranking.ts';

test('a pair is ranked rightly where the chosen score is the higher one, and a tie is half right', () => {
  assert.deepEqual(rankPairs([2, 0, 1, -1], [1, 1, 1, -2]), { accuracy: 2.5 / 4, pairs: 4 });
});

test('the area under the curve is the share of good above bad, ties half', () => {
  const good = [0.9, 0.4, 0.4, 0.1];
  const bad = [0.4, 0.3, 0.1];
  const counted = good.flatMap((g) => bad.map((b): number => (g > b ? 1 : g === b ? 0.5 : 0)));
  const share = counted.reduce((sum, right) => sum + right, 0) / counted.length;
  const { accuracy, pairs } = rankAll(good, bad);
  assert.equal(pairs, 12);
  assert.ok(Math.abs(accuracy - share) < 1e-12);
});

test('a model that gives everything one score ranks half rightly', () => {
  assert.equal(rankAll([1, 1], [1, 1, 1]).accuracy, 0.5);
  assert.equal(rankAll([2, 3], [0, 1]).accuracy, 1);
});
