import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StepBatchInput, stepBatch } from '../../../algorithm/rl/step-batch.ts';
import { Failure } from '../../../contracts/failures.ts';
import { grpoSchema } from '../../../contracts/options.ts';
import type { Verdict } from '../../../contracts/records/schemas.ts';

/** A scored rollout of `groups` prompts with four completions each; sequence n is n+1 tokens long. */
function scored(
  groups: number,
  options: Record<string, unknown>,
  verdictOf: (n: number) => Verdict,
): StepBatchInput {
  const sequences = groups * 4;
  const verdicts = Array.from({ length: sequences }, (_, n) => verdictOf(n));
  return {
    runSeed: 7n,
    stage: 'zero',
    branch: 0,
    step: 1,
    options: grpoSchema.parse({
      learning_rate: 1e-3,
      lr_scheduler_type: 'constant',
      max_steps: 10,
      prompts_per_step: groups,
      num_generations: 4,
      max_completion_length: 64,
      rewards: [{ name: 'accuracy' }],
      ...options,
    }),
    changes: [],
    sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 64 },
    rewards: [{ name: 'accuracy', version: 1, verdicts }],
    lengthsN: verdicts.map((_, n) => n + 1),
    truncatedN: verdicts.map(() => 0),
  };
}

const error: Verdict = { error: { kind: 'timeout', message: 'no answer' } };

test('the steps cut from one rollout train on each of its completions once', () => {
  const input = scored(4, { steps_per_generation: 4, num_iterations: 2 }, (n) => ({ score: n % 2 }));
  const bySteps = Array.from({ length: 8 }, (_, i) => stepBatch({ ...input, step: i + 1 }).sequencesB);
  const sorted = (batches: number[][]) => batches.flat().sort((a, b) => a - b);
  assert.deepEqual(
    sorted(bySteps.slice(0, 4)),
    Array.from({ length: 16 }, (_, n) => n),
  );
  assert.deepEqual(bySteps.slice(4), bySteps.slice(0, 4));
});

test('an error drops its completion, never scores it zero', () => {
  const made = stepBatch(scored(2, { max_drop_rate: 0.5 }, (n) => (n === 2 ? error : { score: n % 2 })));
  assert.ok(!made.sequencesB.includes(2));
  assert.deepEqual(
    made.drops.map(({ sequence, reason }) => [sequence, reason]),
    [[2, 'error']],
  );
  assert.equal(made.summary.accuracy, 4 / 7);
  assert.equal(made.summary.dropped, 1);
});

test('more errors than max_drop_rate allows park the stage', () => {
  const input = scored(2, { max_drop_rate: 0.2 }, (n) => (n < 2 ? error : { score: 1 }));
  assert.throws(
    () => stepBatch(input),
    (e) => e instanceof Failure && e.kind === 'TooManyErrors',
  );
});

test('a rollout of which nothing is left is an empty batch, not a step of nothing', () => {
  const input = scored(1, { max_drop_rate: 1 }, () => error);
  assert.throws(
    () => stepBatch(input),
    (e) => e instanceof Failure && e.kind === 'EmptyBatch',
  );
});

test('a reward of which only errors are known is left out of the means, for JSON has no NaN', () => {
  const judged = scored(2, { rewards: [{ name: 'accuracy' }, { name: 'format', weight: 0 }] }, (n) => ({
    score: n % 2,
  }));
  const format = { name: 'format', version: 1, verdicts: Array.from({ length: 8 }, () => error) };
  const input = { ...judged, rewards: [...judged.rewards, format] };
  assert.deepEqual(Object.keys(stepBatch(input).summary.rewards), ['accuracy']);
});

test('a live change is in force from its step on and not before', () => {
  const change = { effectiveStep: 3, field: 'learning_rate', value: 5e-4, author: 'test' } as const;
  const input = { ...scored(2, {}, (n) => ({ score: n % 2 })), changes: [change] };
  const rates = [2, 3, 4].map((step) => stepBatch({ ...input, step }).numbers.learning_rate);
  assert.deepEqual(rates, [1e-3, 5e-4, 5e-4]);
});

test('permuted rewards change what is learned and not what is reported', () => {
  const verdictOf = (n: number) => ({ score: n % 4 === 0 ? 1 : 0 });
  const honest = stepBatch(scored(8, {}, verdictOf));
  const shuffled = stepBatch(scored(8, { shuffle_rewards: true }, verdictOf));
  assert.notDeepEqual(shuffled.advantagesB, honest.advantagesB);
  assert.deepEqual(shuffled.summary.rewards, honest.summary.rewards);
});

test('dr_grpo divides by the limit that the rollout was sampled under', () => {
  const input = scored(2, { loss_type: 'dr_grpo', max_completion_length: 128 }, (n) => ({ score: n % 2 }));
  const { lossWeightsB } = stepBatch(input);
  assert.ok(lossWeightsB.every((weight) => Math.abs(weight - 1 / (8 * 64)) < 1e-12));
});
