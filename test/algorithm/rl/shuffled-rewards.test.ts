import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shuffleVerdicts } from '../../../algorithm/rl/shuffled-rewards.ts';

test('shuffled verdicts are the same verdicts in another order, all rewards moved together', () => {
  const scores = Array.from({ length: 64 }, (_, index) => index);
  const rewards = [
    { name: 'accuracy', version: 1, verdicts: scores.map((score) => ({ score })) },
    { name: 'format', version: 1, verdicts: scores.map((score) => ({ score: score + 1000 })) },
  ];
  const [accuracy, format] = shuffleVerdicts(rewards, 5n).map(({ verdicts }) =>
    verdicts.map((verdict) => ('score' in verdict ? verdict.score : Number.NaN)),
  );
  assert.notDeepEqual(accuracy, scores);
  assert.deepEqual(
    accuracy?.toSorted((a, b) => a - b),
    scores,
  );
  assert.deepEqual(
    format,
    accuracy?.map((score) => score + 1000),
  );
  assert.deepEqual(shuffleVerdicts(rewards, 5n), shuffleVerdicts(rewards, 5n));
  assert.deepEqual(shuffleVerdicts([], 5n), []);
});
