import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uniformAt } from '../../../algorithm/random/seeds.ts';
import {
  createSampler,
  LogitsError,
  type SamplerOptions,
  sampleToken,
} from '../../../engine/decode/sampler.ts';

const logits = Float32Array.of(1, -0.5, 2, 0.25, -3, 2, 0);

function probabilities(temperature: number): number[] {
  const weights = Array.from(logits, (logit) => Math.exp(logit / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

function counts(options: SamplerOptions, draws: number): number[] {
  const sampler = createSampler(options, logits.length);
  const seen = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) {
    const { token } = sampler(logits, uniformAt(7n, i));
    seen[token] = (seen[token] ?? 0) + 1;
  }
  return seen;
}

/** Pearson's statistic of observed counts against expected shares. */
function chiSquare(seen: readonly number[], shares: readonly number[]): number {
  const draws = seen.reduce((a, b) => a + b, 0);
  return seen.reduce((sum, count, v) => {
    const expected = (shares[v] ?? 0) * draws;
    return expected === 0 ? sum : sum + (count - expected) ** 2 / expected;
  }, 0);
}

const support = (options: SamplerOptions) =>
  counts(options, 4000).flatMap((count, v) => (count > 0 ? [v] : []));

test('tokens are drawn as often as the softmax says, at each temperature', () => {
  // 99.99 % of the χ² distribution with 6 degrees of freedom lies below 27.9.
  for (const temperature of [0.6, 1, 2]) {
    assert.ok(chiSquare(counts({ temperature }, 20_000), probabilities(temperature)) < 27.9);
  }
});

test('what top-p leaves is drawn in its renormalised proportions', () => {
  const shares = probabilities(1).map((p, v) => (v === 2 || v === 5 || v === 0 ? p : 0));
  const total = shares.reduce((a, b) => a + b, 0);
  const seen = counts({ temperature: 1, top_p: 0.8 }, 20_000);
  assert.ok(
    chiSquare(
      seen,
      shares.map((p) => p / total),
    ) < 18.4,
  );
});

test('the log-probability is that of the whole softmax, whatever top-k and top-p cut', () => {
  for (const temperature of [0.6, 1]) {
    const { token, logprob } = sampleToken(logits, 0.99, { temperature, top_k: 2, top_p: 0.5 });
    assert.ok(Math.abs(logprob - Math.log(probabilities(temperature)[token] ?? 0)) < 1e-12);
  }
});

test('greedy takes the largest logit, the lowest id of a tie, with its log-probability at temperature 1', () => {
  const { token, logprob } = sampleToken(logits, 0.999, { temperature: 0 });
  assert.equal(token, 2);
  assert.ok(Math.abs(logprob - Math.log(probabilities(1)[2] ?? 0)) < 1e-12);
});

test('top-k keeps exactly k, the lowest ids of a tie', () => {
  assert.deepEqual(support({ temperature: 1, top_k: 1 }), [2]);
  assert.deepEqual(support({ temperature: 1, top_k: 2 }), [2, 5]);
  assert.deepEqual(support({ temperature: 1, top_k: 3 }), [0, 2, 5]);
  assert.equal(support({ temperature: 3, top_k: 100 }).length, logits.length);
});

test('top-p keeps the smallest set that reaches p, and at least one token', () => {
  assert.deepEqual(support({ temperature: 1, top_p: 1e-9 }), [2]);
  const two = (probabilities(1)[2] ?? 0) * 2;
  assert.deepEqual(support({ temperature: 1, top_p: two - 1e-9 }), [2, 5]);
  assert.deepEqual(support({ temperature: 1, top_p: two + 1e-9 }), [0, 2, 5]);
});

test('top-p counts shares of what top-k left', () => {
  // Alone, 0.6 needs two tokens (0.37 each); of the two that top-k leaves each has half.
  assert.deepEqual(support({ temperature: 1, top_k: 2, top_p: 0.5 }), [2]);
  assert.deepEqual(support({ temperature: 1, top_k: 2, top_p: 0.51 }), [2, 5]);
});

test('sorting only the likely tokens leaves the same nucleus as sorting all', () => {
  const many = Float32Array.from({ length: 500 }, (_, v) => 4 * Math.sin(v * v));
  for (const top_p of [0.3, 0.9, 0.999]) {
    for (let i = 0; i < 50; i++) {
      const uniform = uniformAt(3n, i);
      const pruned = sampleToken(many, uniform, { temperature: 1, top_p });
      assert.deepEqual(sampleToken(many, uniform, { temperature: 1, top_p, top_k: 500 }), pruned);
    }
  }
});

test('a uniform of 0 and one next to 1 draw possible tokens', () => {
  const row = Float32Array.of(Number.NEGATIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY);
  assert.equal(sampleToken(row, 0, { temperature: 1 }).token, 1);
  assert.equal(sampleToken(row, 1 - 2 ** -53, { temperature: 1 }).token, 2);
  assert.equal(sampleToken(row, 1 - 2 ** -53, { temperature: 1, top_p: 0.99 }).token, 2);
});

test('logits that are no numbers are an error, never a token', () => {
  const row = (...values: number[]) => Float32Array.of(...values);
  for (const temperature of [0, 1]) {
    for (const bad of [row(0, Number.NaN), row(Number.NaN, 0), row(Number.POSITIVE_INFINITY, 0)]) {
      assert.throws(() => sampleToken(bad, 0.5, { temperature }), LogitsError);
    }
    assert.throws(
      () => sampleToken(row(-Infinity, -Infinity), 0.5, { temperature }),
      /every logit is −∞.*resume from an earlier checkpoint/,
    );
  }
});

test('options out of range are refused by name', () => {
  assert.throws(() => createSampler({ temperature: -1 }, 4), /temperature/);
  assert.throws(() => createSampler({ temperature: Number.NaN }, 4), /temperature/);
  assert.throws(() => createSampler({ temperature: 1, top_p: 0 }, 4), /top_p/);
  assert.throws(() => createSampler({ temperature: 1, top_k: 1.5 }, 4), /top_k/);
});
