import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipeSchema } from '../../contracts/recipe.ts';

function problemsOf(options: object, evaluation: object = {}): string[] {
  const parsed = recipeSchema.safeParse({
    name: 'small',
    seed: 1,
    base: 'base',
    prompts: { source: 'nano-sums', train: 20, test: 5 },
    evaluation: { max_completion_length: 10, ...evaluation },
    stages: [
      {
        stage: 'zero',
        algorithm: 'grpo',
        options: {
          learning_rate: 1e-4,
          max_steps: 40,
          save_steps: 10,
          prompts_per_step: 3,
          num_generations: 2,
          max_completion_length: 10,
          ...options,
        },
      },
    ],
  });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${String(path.at(-1))}: ${message}`);
}

const limit = { save_total_limit: 2 };

test('limits of checkpoints that have an effect are accepted', () => {
  assert.deepEqual(problemsOf({ ...limit, keep_every: 20, save_best: 'pass_at_1', eval_steps: 5 }), []);
});

test('a limit out of bounds, an unknown metric and options without an effect are refused by their field', () => {
  const refused: [object, RegExp][] = [
    [{ save_total_limit: 0 }, /^save_total_limit: /],
    [{ save_total_limit: 1.5 }, /^save_total_limit: /],
    [{ ...limit, keep_every: 0 }, /^keep_every: /],
    [{ ...limit, keep_every: 15 }, /^keep_every: expected a multiple of save_steps \(10\), found 15$/],
    [{ keep_every: 20 }, /^keep_every: has no effect without save_total_limit/],
    [{ save_best: 'pass_at_1', eval_steps: 10 }, /^save_best: has no effect without save_total_limit/],
    [{ ...limit, save_best: 'loss', eval_steps: 10 }, /^save_best: /],
    [{ ...limit, save_best: 'pass_at_1' }, /^save_best: expected an evaluation at each checkpoint/],
    [{ ...limit, save_best: 'pass_at_1', eval_steps: 20 }, /^save_best: expected an evaluation at each/],
    [
      { ...limit, save_best: 'language_consistency', eval_steps: 10 },
      /^save_best: expected evaluation\.language/,
    ],
  ];
  for (const [options, expected] of refused) {
    const problems = problemsOf(options);
    assert.equal(problems.length, 1, JSON.stringify([options, problems]));
    assert.match(problems[0] ?? '', expected);
  }
});
