import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutRollout, rolloutOfStep } from '../../../algorithm/rl/rollout-plan.ts';

test('with one batch trained once, every step has its own rollout', () => {
  for (let step = 1; step < 20; step++) {
    assert.deepEqual(rolloutOfStep(step, { steps_per_generation: 1, num_iterations: 1 }), {
      rollout: step - 1,
      firstStep: step,
      lastStep: step,
      batch: 0,
      iteration: 0,
    });
  }
});

test('batches are trained one after the other, then all again', () => {
  const options = { steps_per_generation: 3, num_iterations: 2 };
  const places = [7, 8, 9, 10, 11, 12].map((step) => rolloutOfStep(step, options));
  assert.deepEqual(
    places.map(({ batch, iteration }) => [batch, iteration]),
    [
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 1],
      [1, 1],
      [2, 1],
    ],
  );
  for (const { rollout, firstStep, lastStep } of places) {
    assert.deepEqual([rollout, firstStep, lastStep], [1, 7, 12]);
  }
});

test('step 0 belongs to no rollout', () => {
  assert.throws(() => rolloutOfStep(0, { steps_per_generation: 1, num_iterations: 1 }), /from 1, found 0/);
});

test('a cut puts every completion into exactly one batch, and sizes differ by at most one', () => {
  for (let completions = 1; completions <= 40; completions++) {
    for (let steps_per_generation = 1; steps_per_generation <= completions; steps_per_generation++) {
      const batches = cutRollout(completions, { steps_per_generation }, BigInt(completions));
      assert.equal(batches.length, steps_per_generation);
      const sizes = batches.map((batch) => batch.length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      const all = batches.flat().sort((a, b) => a - b);
      assert.deepEqual(
        all,
        Array.from({ length: completions }, (_, index) => index),
      );
    }
  }
});

test('a cut goes across groups, hangs on the seed alone, and keeps order within a batch', () => {
  const cut = (seed: bigint) => cutRollout(64, { steps_per_generation: 4 }, seed);
  assert.deepEqual(cut(1n), cut(1n));
  assert.notDeepEqual(cut(1n), cut(2n));
  for (const batch of cut(1n)) {
    assert.deepEqual(
      batch,
      batch.toSorted((a, b) => a - b),
    );
    assert.ok(new Set(batch.map((index) => Math.floor(index / 16))).size > 1);
  }
});

test('fewer completions than batches are refused', () => {
  assert.throws(() => cutRollout(3, { steps_per_generation: 4 }, 1n), /expected at least 4 completions/);
});
