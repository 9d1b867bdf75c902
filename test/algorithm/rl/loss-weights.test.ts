import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossWeights } from '../../../algorithm/rl/loss-weights.ts';
import type { GrpoOptions } from '../../../contracts/options.ts';

const lengths = [
  { tokens: 2, truncated: false },
  { tokens: 5, truncated: false },
  { tokens: 8, truncated: true },
];
const weights = (loss_type: GrpoOptions['loss_type'], mask_truncated_completions = false) =>
  lossWeights(lengths, { loss_type, mask_truncated_completions, max_completion_length: 8 });

test('grpo means over completions of the mean over their tokens', () => {
  assert.deepEqual(weights('grpo'), [1 / 6, 1 / 15, 1 / 24]);
});

test("dapo divides by all tokens of the step's batch, and bnpo equals it, as a step is one batch", () => {
  assert.deepEqual(weights('dapo'), [1 / 15, 1 / 15, 1 / 15]);
  assert.deepEqual(weights('bnpo'), weights('dapo'));
});

test('dr_grpo divides by completions times the limit, so that no length enters', () => {
  assert.deepEqual(weights('dr_grpo'), [1 / 24, 1 / 24, 1 / 24]);
});

test('a masked truncated completion weighs nothing but stays one of those averaged over', () => {
  assert.deepEqual(weights('grpo', true), [1 / 6, 1 / 15, 0]);
  assert.deepEqual(weights('dapo', true), [1 / 7, 1 / 7, 0]);
  assert.deepEqual(weights('dr_grpo', true), [1 / 24, 1 / 24, 0]);
});

test('a batch of masked completions alone weighs nothing, without a division by zero', () => {
  for (const loss_type of ['grpo', 'dapo', 'bnpo', 'dr_grpo'] as const) {
    const options = { loss_type, mask_truncated_completions: true, max_completion_length: 8 };
    assert.deepEqual(lossWeights([{ tokens: 8, truncated: true }], options), [0]);
  }
});

test('weights of grpo and dapo add up to one over all tokens', () => {
  for (const loss_type of ['grpo', 'dapo'] as const) {
    const total = weights(loss_type).reduce((sum, weight, b) => sum + weight * (lengths[b]?.tokens ?? 0), 0);
    assert.ok(Math.abs(total - 1) < 1e-12);
  }
});
