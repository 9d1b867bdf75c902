import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  completionLimitAt,
  learningRateAt,
  longestCompletion,
  numbersInForce,
  optionsInForce,
} from '../../../algorithm/rl/schedules.ts';
import { changeSchema, type GrpoOptions } from '../../../contracts/options.ts';
import { numbersInForceSchema } from '../../../contracts/records/schemas.ts';
import { grpoOptions } from './grpo-options.ts';

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-12, `${actual} is not ${expected}`);

test("each schedule meets transformers' factors at the updates done before the step", () => {
  // LambdaLR's factor after 0, 5, 10, 55 and 99 updates, 10 warm-up steps of 100
  const expected: Record<GrpoOptions['lr_scheduler_type'], number[]> = {
    constant: [1, 1, 1, 1, 1],
    constant_with_warmup: [0, 0.5, 1, 1, 1],
    linear: [0, 0.5, 1, 0.5, 1 / 90],
    cosine: [0, 0.5, 1, 0.5, 0.5 * (1 + Math.cos((Math.PI * 89) / 90))],
    cosine_with_min_lr: [0, 0.5, 1, 0.55, 0.5 * (1 + Math.cos((Math.PI * 89) / 90)) * 0.9 + 0.1],
  };
  for (const [lr_scheduler_type, factors] of Object.entries(expected)) {
    const options = grpoOptions({
      lr_scheduler_type: lr_scheduler_type as GrpoOptions['lr_scheduler_type'],
      learning_rate: 2,
      warmup_steps: 10,
      min_lr_rate: 0.1,
    });
    for (const [index, step] of [1, 6, 11, 56, 100].entries()) {
      close(learningRateAt(step, options), 2 * (factors[index] ?? Number.NaN));
    }
  }
});

test('a schedule without warm-up starts at the full rate, and one that is all warm-up never divides by zero', () => {
  for (const lr_scheduler_type of [
    'constant_with_warmup',
    'linear',
    'cosine',
    'cosine_with_min_lr',
  ] as const) {
    close(learningRateAt(1, grpoOptions({ lr_scheduler_type, learning_rate: 2 })), 2);
    const allWarmup = grpoOptions({ lr_scheduler_type, learning_rate: 2, warmup_steps: 100 });
    for (let step = 1; step <= 100; step++) close(learningRateAt(step, allWarmup), (2 * (step - 1)) / 100);
  }
});

test('a rate is never negative, never above the peak, and falls after the warm-up of a decaying schedule', () => {
  for (const lr_scheduler_type of ['linear', 'cosine', 'cosine_with_min_lr'] as const) {
    const options = grpoOptions({ lr_scheduler_type, warmup_steps: 7 });
    const rates = Array.from({ length: 100 }, (_, index) => learningRateAt(index + 1, options));
    for (const [index, rate] of rates.entries()) {
      assert.ok(rate >= 0 && rate <= options.learning_rate);
      if (index > 7) assert.ok(rate <= (rates[index - 1] ?? 0));
    }
  }
});

test('step 0 and a broken step have no rate', () => {
  for (const step of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => learningRateAt(step, grpoOptions()), /step: expected an integer from 1/);
  }
});

test('a change holds from its step on, the latest effective one wins, and of equals the last committed', () => {
  const changes = [
    { effectiveStep: 20, field: 'beta', value: 0.2 },
    { effectiveStep: 10, field: 'beta', value: 0.1 },
    { effectiveStep: 20, field: 'beta', value: 0.3 },
    { effectiveStep: 15, field: 'temperature', value: 0.7 },
  ] as const;
  const at = (step: number) => optionsInForce(step, grpoOptions({ beta: 0.001 }), changes);
  assert.deepEqual(
    [9, 10, 19, 20, 99].map((step) => at(step).beta),
    [0.001, 0.1, 0.1, 0.3, 0.3],
  );
  assert.deepEqual(
    [14, 15].map((step) => at(step).temperature),
    [1, 0.7],
  );
});

test('a changed learning rate is what the schedule multiplies from its step on', () => {
  const options = grpoOptions({ lr_scheduler_type: 'linear', learning_rate: 1 });
  const changes = [{ effectiveStep: 51, field: 'learning_rate', value: 10 }] as const;
  close(numbersInForce(50, options, changes).learning_rate, 0.51);
  close(numbersInForce(51, options, changes).learning_rate, 5);
});

test('numbers are the same in whatever order steps are asked for, and the options stay untouched', () => {
  const options = Object.freeze(grpoOptions({ warmup_steps: 5 }));
  const changes = Object.freeze([
    changeSchema.parse({ effectiveStep: 3, field: 'epsilon', value: 0.3, author: 'a' }),
  ]);
  const steps = Array.from({ length: 20 }, (_, index) => index + 1);
  const forward = steps.map((step) => numbersInForce(step, options, changes));
  const backward = steps.toReversed().map((step) => numbersInForce(step, options, changes));
  assert.deepEqual(forward, backward.toReversed());
});

test("the numbers are a batch's record, with the upper clip and the bound filled in", () => {
  const numbers = numbersInForceSchema.parse(numbersInForce(4, grpoOptions({ epsilon: 0.25 }), []));
  assert.equal(numbers.epsilon_high, 0.25);
  assert.equal(numbers.delta, null);
  assert.equal(numbers.adam_step, 4);
  const named = numbersInForce(4, grpoOptions({ epsilon_high: 0.28, delta: 4 }), []);
  assert.deepEqual([named.epsilon_high, named.delta], [0.28, 4]);
});

test('a changed temperature waits for the next rollout, since its completions were sampled at the old', () => {
  const options = grpoOptions({ steps_per_generation: 4 });
  const changes = [{ effectiveStep: 6, field: 'temperature', value: 0.7 }] as const;
  assert.deepEqual(
    [5, 6, 8, 9].map((step) => numbersInForce(step, options, changes).temperature),
    [1, 1, 1, 0.7],
  );
});

test('the limit of a completion is the latest that began before its rollout', () => {
  const options = grpoOptions({
    max_completion_length: 10,
    max_completion_length_from: [
      { from_step: 9, max_completion_length: 5 },
      { from_step: 3, max_completion_length: 20 },
    ],
  });
  assert.deepEqual(
    [1, 2, 3, 8, 9, 50].map((step) => completionLimitAt(step, options)),
    [10, 10, 20, 20, 5, 5],
  );
  assert.equal(longestCompletion(options), 20);
  assert.equal(completionLimitAt(50, grpoOptions({ max_completion_length: 10 })), 10);
});

test('a limit that begins after the last step is refused', () => {
  const late = [{ from_step: 101, max_completion_length: 5 }];
  assert.throws(
    () => grpoOptions({ max_steps: 100, max_completion_length_from: late }),
    /at most max_steps, 100/,
  );
});
