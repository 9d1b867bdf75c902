import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Milestones, milestonesAt, weightsCheckAt } from '../../../algorithm/run/milestones.ts';
import { grpoOptions } from '../rl/grpo-options.ts';

const options = grpoOptions({
  max_steps: 25,
  save_steps: 10,
  eval_steps: 5,
  digest_steps: 4,
  ref_model_sync_steps: 8,
});
const stepsWhere = (holds: (milestones: Milestones) => boolean) =>
  Array.from({ length: 26 }, (_, step) => step).filter((step) => holds(milestonesAt(step, options)));

test('a checkpoint is due every save_steps and at the last step, never before the first', () => {
  assert.deepEqual(
    stepsWhere(({ save }) => save),
    [10, 20, 25],
  );
});

test('the full evaluation frames the stage and the quick one falls between', () => {
  assert.deepEqual(
    stepsWhere(({ evaluate }) => evaluate === 'full'),
    [0, 25],
  );
  assert.deepEqual(
    stepsWhere(({ evaluate }) => evaluate === 'quick'),
    [5, 10, 15, 20],
  );
  assert.equal(milestonesAt(5, { ...options, eval_steps: 0 }).evaluate, null);
});

test('the reference is refreshed after every ref_model_sync_steps, and never when it is not to be', () => {
  assert.deepEqual(
    stepsWhere(({ refreshReference }) => refreshReference),
    [8, 16, 24],
  );
  assert.equal(milestonesAt(8, { ...options, sync_ref_model: false }).refreshReference, false);
});

test('weights are checked by a digest every digest_steps, else by a fingerprint before a rollout or a checkpoint', () => {
  const checks = (nextSamples: (step: number) => boolean) =>
    Array.from({ length: 25 }, (_, before) =>
      weightsCheckAt(before + 1, options, nextSamples(before + 1)).at(0),
    ).join('');
  // n: none, d: digest, f: fingerprint; checkpoints after 10, 20 and 25
  assert.equal(
    checks(() => false),
    'nnndnnndnfndnnndnnndnnndf',
  );
  assert.equal(
    checks((step) => step % 3 === 0),
    'nnfdnfndffndnnfdnfndfnndf',
  );
});
