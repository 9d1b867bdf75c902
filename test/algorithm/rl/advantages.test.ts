import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawsFrom } from '../../../algorithm/random/draws.ts';
import {
  type AdvantageOptions,
  computeAdvantages,
  type RewardVerdicts,
  shuffleVerdicts,
} from '../../../algorithm/rl/advantages.ts';
import { mean, sampleDeviation } from '../../../algorithm/rl/sample-statistics.ts';
import { dropSchema, type Verdict } from '../../../contracts/records/schemas.ts';

const error: Verdict = { error: { kind: 'ground-truth', message: 'it is empty' } };

function verdicts(name: string, scores: (number | null)[]): RewardVerdicts {
  return { name, verdicts: scores.map((score) => (score === null ? error : { score })) };
}

function options(changed: Partial<AdvantageOptions> = {}): AdvantageOptions {
  return {
    rewards: [{ name: 'accuracy', weight: 1 }],
    num_generations: 4,
    scale_rewards: 'group',
    multi_objective_aggregation: 'sum_then_normalize',
    ...changed,
  };
}

const both = [
  { name: 'accuracy' as const, weight: 2 },
  { name: 'format' as const, weight: 0.5 },
];

function closeTo(actual: number[], expected: number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [index, value] of actual.entries()) {
    assert.ok(Math.abs(value - (expected[index] ?? Number.NaN)) < 1e-12, `${actual} is not ${expected}`);
  }
}

const advantagesOf = (rewards: RewardVerdicts[], changed?: Partial<AdvantageOptions>) =>
  computeAdvantages(rewards, options(changed)).kept.map(({ advantage }) => advantage);

test('a group is centred on its mean and divided by its sample deviation plus 1e-4', () => {
  // one of four right: mean 1/4, sample deviation √((3/4)²+3·(1/4)²)/3) = 1/2
  const divisor = 0.5 + 1e-4;
  closeTo(
    advantagesOf([verdicts('accuracy', [1, 0, 0, 0])]),
    [0.75, -0.25, -0.25, -0.25].map((a) => a / divisor),
  );
});

test('batch scaling divides by the deviation of all rewards, and none by nothing', () => {
  const scores = [1, 0, 0, 0, 1, 1, 1, 0];
  const centred = [0.75, -0.25, -0.25, -0.25, 0.25, 0.25, 0.25, -0.75];
  const deviation = sampleDeviation(scores) + 1e-4;
  const rewards = [verdicts('accuracy', scores)];
  closeTo(
    advantagesOf(rewards, { scale_rewards: 'batch' }),
    centred.map((a) => a / deviation),
  );
  closeTo(advantagesOf(rewards, { scale_rewards: 'none' }), centred);
});

test('rewards are summed by weight before normalising', () => {
  const rewards = [verdicts('format', [1, 1, 0, 0]), verdicts('accuracy', [1, 0, 1, 0])];
  const result = computeAdvantages(rewards, options({ rewards: both, scale_rewards: 'none' }));
  assert.deepEqual(
    result.kept.map(({ reward }) => reward),
    [2.5, 0.5, 2, 0],
  );
  closeTo(
    result.kept.map(({ advantage }) => advantage),
    [1.25, -0.75, 0.75, -1.25],
  );
});

test('normalize_then_sum normalises each reward over its group, then the weighted sum over the batch', () => {
  const accuracy = [1, 0, 0, 0, 1, 1, 0, 0];
  const format = [1, 1, 0, 1, 1, 1, 1, 1];
  const normalized = (values: number[]) =>
    values.map((value) => (value - mean(values)) / (sampleDeviation(values) + 1e-4));
  const byGroup = (values: number[]) => [...normalized(values.slice(0, 4)), ...normalized(values.slice(4))];
  const [a, f] = [byGroup(accuracy), byGroup(format)];
  const sums = a.map((value, index) => 2 * value + 0.5 * (f[index] ?? 0));
  closeTo(
    advantagesOf([verdicts('accuracy', accuracy), verdicts('format', format)], {
      rewards: both,
      multi_objective_aggregation: 'normalize_then_sum',
    }),
    normalized(sums),
  );
});

test('an error drops its completion, which is neither a zero nor a part of the mean', () => {
  const { kept, drops, errorShare } = computeAdvantages([verdicts('accuracy', [1, null, 0, 0])], options());
  assert.deepEqual(
    kept.map(({ sequence }) => sequence),
    [0, 2, 3],
  );
  closeTo(
    kept.map(({ advantage }) => advantage),
    advantagesOf([verdicts('accuracy', [1, 0, 0])], { num_generations: 3 }),
  );
  assert.deepEqual(drops, [{ sequence: 1, reason: 'error', message: 'accuracy: ground-truth: it is empty' }]);
  assert.equal(errorShare, 1 / 4);
});

test('a completion left alone in its group is dropped with it, for a reason of its own', () => {
  const { kept, drops, errorShare } = computeAdvantages(
    [verdicts('accuracy', [null, 1, null, null, 1, 0, 1, 0])],
    options(),
  );
  assert.deepEqual(
    kept.map(({ sequence }) => sequence),
    [4, 5, 6, 7],
  );
  assert.deepEqual(
    drops.map(({ sequence, reason }) => [sequence, reason]),
    [
      [0, 'error'],
      [1, 'group-too-small'],
      [2, 'error'],
      [3, 'error'],
    ],
  );
  for (const drop of drops) dropSchema.parse(drop);
  assert.equal(errorShare, 3 / 8, 'a completion left alone is no error');
});

test('a reward of weight 0 is only watched: its errors drop nothing', () => {
  const rewards = [verdicts('accuracy', [1, 0, 0, 0]), verdicts('format', [null, null, 1, 0])];
  const weights = [
    { name: 'accuracy' as const, weight: 1 },
    { name: 'format' as const, weight: 0 },
  ];
  const { kept, drops } = computeAdvantages(rewards, options({ rewards: weights }));
  assert.equal(kept.length, 4);
  assert.deepEqual(drops, []);
});

test('a rollout of nothing but errors keeps nothing and says so without NaN', () => {
  const result = computeAdvantages([verdicts('accuracy', [null, null, null, null])], options());
  assert.deepEqual([result.kept, result.errorShare, result.zeroVarianceShare], [[], 1, 0]);
});

test('the share of groups without variance counts groups whose rewards are all equal', () => {
  const scores = [1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0.1, 0.1, 0.1, 0.1];
  const { zeroVarianceShare, kept } = computeAdvantages([verdicts('accuracy', scores)], options());
  assert.equal(zeroVarianceShare, 3 / 4);
  for (const { sequence, advantage } of kept) {
    if (sequence < 8 || sequence >= 12) assert.ok(Math.abs(advantage) < 1e-9);
  }
});

test('over random rollouts, advantages of a group add up to zero and nothing is lost or doubled', () => {
  for (let seed = 0n; seed < 200n; seed++) {
    const draws = drawsFrom(seed);
    const num_generations = draws.integer(2, 9);
    const count = num_generations * draws.integer(1, 6);
    const scores = Array.from({ length: count }, () => (draws.chance(0.2) ? null : draws.integer(0, 1)));
    const scale_rewards = draws.among(['group', 'batch', 'none'] as const);
    const { kept, drops } = computeAdvantages(
      [verdicts('accuracy', scores)],
      options({ num_generations, scale_rewards }),
    );
    const seen = [...kept, ...drops].map(({ sequence }) => sequence).sort((a, b) => a - b);
    assert.deepEqual(
      seen,
      scores.map((_, sequence) => sequence),
    );
    for (let start = 0; start < count; start += num_generations) {
      const group = kept.filter(({ sequence }) => sequence >= start && sequence < start + num_generations);
      assert.notEqual(group.length, 1);
      assert.ok(Math.abs(group.reduce((total, { advantage }) => total + advantage, 0)) < 1e-9);
    }
  }
});

test('verdicts that are missing or do not fill the groups are refused by name', () => {
  assert.throws(
    () => computeAdvantages([verdicts('format', [1, 0, 1, 0])], options()),
    /expected verdicts of "accuracy", found those of: format/,
  );
  assert.throws(
    () => computeAdvantages([verdicts('accuracy', [1, 0, 1])], options()),
    /expected 4 for each group, from every reward; found accuracy 3/,
  );
  assert.throws(
    () =>
      computeAdvantages(
        [verdicts('accuracy', [1, 0, 1, 0]), verdicts('format', [1, 0, 1, 0, 1, 1, 1, 1])],
        options({ rewards: both }),
      ),
    /found accuracy 4, format 8/,
  );
});

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
