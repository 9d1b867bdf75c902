import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countStage } from '../../algorithm/plan.ts';
import { evaluationSchema } from '../../contracts/options.ts';
import { grpoOptions } from './grpo-options.ts';

const evaluation = evaluationSchema.parse({ max_completion_length: 110 });

test('an on-policy stage is counted as the table of its options says', () => {
  const counts = countStage(
    grpoOptions({ max_steps: 80, save_steps: 20, eval_steps: 10 }),
    evaluation,
    1_000,
  );
  assert.deepEqual(counts, {
    steps: 80,
    rollouts: 80,
    promptsPerRollout: 16,
    completionsPerRollout: 256,
    completionsPerStep: 256,
    prompts: 1_280,
    completions: 20_480,
    mostCompletions: 20_480,
    passes: 1.28,
    checkpoints: 4,
    fullEvaluations: 2,
    quickEvaluations: 7,
    evaluationCompletions: 2 * 256 * 16 + 7 * 64 * 4,
    referenceRefreshes: 0,
    mostTokens: 20_480 * 110,
  });
});

test('the paper: rollouts of 8,192 outputs in 16 batches of 512, 10,400 steps, 26 refreshes', () => {
  const paper = {
    prompts_per_step: 32,
    steps_per_generation: 16,
    max_steps: 10_400,
    max_completion_length: 32_768,
  };
  const counts = countStage(grpoOptions(paper), evaluation);
  assert.deepEqual(
    [counts.completionsPerRollout, counts.completionsPerStep, counts.rollouts, counts.referenceRefreshes],
    [8_192, 512, 650, 26],
  );
  assert.equal(counts.passes, null);
});

test('a last rollout that is only begun counts whole, and each iteration saves sampling', () => {
  const counts = countStage(
    grpoOptions({ max_steps: 10, steps_per_generation: 2, num_iterations: 2 }),
    evaluation,
  );
  assert.deepEqual([counts.rollouts, counts.prompts, counts.checkpoints], [3, 96, 1]);
});

test('dynamic sampling may sample as many more rollouts as its rounds allow', () => {
  const counts = countStage(
    grpoOptions({ max_steps: 10, dynamic_sampling: true, dynamic_sampling_max_rounds: 3 }),
    evaluation,
  );
  assert.equal(counts.mostCompletions, 4 * counts.completions);
});
