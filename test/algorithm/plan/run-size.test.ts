import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceSeconds, runSize } from '../../../algorithm/plan/run-size.ts';
import type { RunFacts } from '../../../algorithm/plan/stage-segments.ts';
import { type Recipe, recipeSchema } from '../../../contracts/recipe.ts';

const zero = {
  learning_rate: 1e-4,
  max_steps: 4,
  save_steps: 2,
  prompts_per_step: 3,
  num_generations: 2,
  max_completion_length: 10,
};

function recipeOf(stages: unknown[]): Recipe {
  return recipeSchema.parse({
    name: 'small',
    seed: 1,
    base: 'base',
    prompts: { source: 'nano-sums', train: 20, test: 5 },
    evaluation: { problems: 5, k: 2, quick_problems: 1, quick_k: 1, max_completion_length: 10 },
    stages,
  });
}

const grpo = (options: object) => ({ stage: 'zero', algorithm: 'grpo', options: { ...zero, ...options } });

const sizeOf = (stages: unknown[], facts: Partial<RunFacts> = {}) =>
  runSize({
    recipe: recipeOf(stages),
    parametersOf: () => 1_000,
    meanLength: () => null,
    promptTokens: 8,
    generalHeldOut: 0,
    givenExamples: {},
    heldOutPreferences: {},
    ...facts,
  });

const stageOf = (stages: unknown[], facts?: Partial<RunFacts>) => {
  const stage = sizeOf(stages, facts).stages.at(-1);
  assert(stage !== undefined);
  return stage;
};

test('a step samples its prompts’ groups, each completion to its limit where no mean length is given', () => {
  const { completions, tokensTrained, tokensRead, tokensSampled, evaluationCompletions } = stageOf([
    grpo({}),
  ]);
  assert.equal(completions, 4 * 3 * 2);
  assert.equal(tokensTrained, 4 * 3 * 2 * 10);
  // the reference alone: the only step of each rollout is trained by the policy that sampled it
  assert.equal(tokensRead, tokensTrained);
  // before the first step and after the last
  assert.equal(evaluationCompletions, 2 * 5 * 2);
  assert.equal(tokensSampled, (completions + evaluationCompletions) * 10);
});

test('a mean length counts where it is below the limit', () => {
  assert.equal(stageOf([grpo({})], { meanLength: () => 7 }).tokensTrained, 4 * 3 * 2 * 7);
  assert.equal(stageOf([grpo({})], { meanLength: () => 70 }).tokensTrained, 4 * 3 * 2 * 10);
});

test('a rollout cut into batches is sampled once, and read by the old policy too', () => {
  const { completions, tokensRead, rows } = stageOf([grpo({ steps_per_generation: 2 })]);
  assert.equal(completions, 4 * 3 * 2);
  assert.equal(tokensRead, 2 * 4 * 3 * 2 * 10);
  assert.equal(rows.prompt_uses, 4 * 3);
  // the third rollout is meant for steps 5 and 6, of which the stage has one
  assert.equal(stageOf([grpo({ steps_per_generation: 2, max_steps: 5 })]).completions, 3 * 2 * 3 * 2);
});

test('a reference policy is kept once between two refreshes', () => {
  const weights = 4 * 1_000;
  const bytes = (options: object) => stageOf([grpo(options)]).s3Bytes;
  const once = bytes({ ref_model_sync_steps: 400 });
  assert.equal(bytes({ ref_model_sync_steps: 4 }) - once, weights);
  assert.equal(bytes({ ref_model_sync_steps: 4, sync_ref_model: false }), once);
});

test('limits leave checkpoints: bytes at the end, and at most one more of them before the last deletion', () => {
  const of = (options: object) => stageOf([grpo({ max_steps: 40, beta: 0, ...options })]);
  const all = of({});
  assert.deepEqual([all.s3PeakBytes, all.s3FinalBytes], [all.s3Bytes, all.s3Bytes]);
  const one = 3 * 4 * 1_000 + 4_000;
  const left = (options: object) => {
    const { s3Bytes, s3PeakBytes, s3FinalBytes, rows } = of(options);
    assert.equal((rows.checkpoints ?? 0) + (rows.deleted_checkpoints ?? 0), 20);
    return [(s3Bytes - s3FinalBytes) / one, (s3PeakBytes - s3FinalBytes) / one, rows.checkpoints];
  };
  assert.deepEqual(left({ save_total_limit: 3 }), [17, 1, 3]);
  assert.deepEqual(left({ save_total_limit: 3, keep_every: 10 }), [14, 1, 6]);
  assert.deepEqual(left({ save_total_limit: 3, save_best: 'pass_at_1', eval_steps: 2 }), [16, 1, 4]);
  assert.deepEqual(left({ save_total_limit: 30 }), [0, 0, 20]);
});

test('stages one after the other have at most what is left of those before, and the peak of one', () => {
  const limited = grpo({ max_steps: 40, save_total_limit: 1 });
  const { stages, total } = sizeOf([limited, { ...limited, stage: 'reasoning-rl', from: 'zero' }]);
  const [first, second] = stages;
  assert(first !== undefined && second !== undefined);
  assert.equal(total.s3FinalBytes, first.s3FinalBytes + second.s3FinalBytes);
  assert.equal(total.s3PeakBytes, first.s3FinalBytes + second.s3PeakBytes);
});

test('a model that several stages start from is measured by the first of them', () => {
  const stages = [grpo({}), { ...grpo({}), stage: 'reasoning-rl', from: 'base' }];
  const [first, second] = sizeOf(stages).stages;
  assert.equal(first?.rows.evaluations, 2);
  assert.equal(second?.rows.evaluations, 1);
});

const sft = {
  algorithm: 'sft',
  options: { learning_rate: 1e-4, max_steps: 2, per_device_train_batch_size: 4, max_length: 20 },
};
const sampled = {
  source: 'sampled',
  policy: 'zero',
  prompts: 7,
  num_generations: 3,
  max_completion_length: 10,
};

test('a sampled source is asked for in parts, and a prompt gives no more rows than its quota', () => {
  const data = [{ ...sampled, prompts_per_request: 3 }];
  const stage = { stage: 'cold-start-sft', ...sft, data, keep: { per_prompt: 2 } };
  const { rows, completions } = stageOf([grpo({}), stage], { givenExamples: { 'cold-start-sft': 5 } });
  assert.equal(completions, 21);
  assert.equal(rows.sample_parts, 3);
  assert.equal(rows.samples, 21);
  assert.equal(rows.dataset_rows, 7 * 2 + 5);
});

test('a stage that takes another’s data set over makes no rows of its own', () => {
  const made = { stage: 'cold-start-sft', ...sft, data: [sampled] };
  const taken = { stage: 'rejection-sft', ...sft, data: [{ source: 'stage', stage: 'cold-start-sft' }] };
  const { rows, completions } = stageOf([grpo({}), made, taken]);
  assert.equal(completions, 0);
  assert.equal(rows.dataset_rows, undefined);
});

test('a long history is ended at a checkpoint, and one without checkpoints all the same', () => {
  const often = stageOf([grpo({ max_steps: 3_000, save_steps: 50 })]).history;
  assert(often.histories > 20, `${often.histories}`);
  assert(often.longest < 4_096 + 50 * 42 + 13, `${often.longest}`);
  const seldom = stageOf([grpo({ max_steps: 3_000, save_steps: 3_000 })]).history;
  assert(seldom.longest < 10_000 + 42, `${seldom.longest}`);
});

test('the total is the stages’ and the run’s own', () => {
  const { stages, total } = sizeOf([grpo({}), { ...grpo({}), stage: 'reasoning-rl', from: 'zero' }]);
  const sum = (of: (part: typeof total) => number) => stages.reduce((so, stage) => so + of(stage), 0);
  assert.equal(total.steps, 8);
  assert.equal(
    total.objects,
    sum(({ objects }) => objects),
  );
  assert.equal(total.rows.runs, 1);
  assert.equal(total.rows.stages, 2);
  assert.equal(total.history.histories, sum(({ history }) => history.histories) + 1);
});

test('reading alone goes at three times the rate of training', () => {
  const work = { tokensSampled: 1_000, tokensTrained: 600, tokensRead: 300 };
  assert.equal(deviceSeconds(work, { sampling: 100, training: 10 }), 10 + 60 + 10);
});
