import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipeSchema, stagesNeeded } from '../../contracts/recipe.ts';

const optimiser = { learning_rate: 1e-3, max_steps: 4 };
const supervised = { ...optimiser, per_device_train_batch_size: 2, max_length: 64 };

const rl = (stage: string, options: object = {}, of: object = {}) => ({
  stage,
  algorithm: 'grpo',
  ...of,
  options: { ...optimiser, prompts_per_step: 2, max_completion_length: 32, ...options },
});
const sft = (stage: string, ...data: object[]) => ({ stage, algorithm: 'sft', data, options: supervised });
const rewardModel = (stage: string, of: object = {}) => ({
  stage,
  algorithm: 'reward-model',
  preferences: { source: 'nano', train: 4, test: 4 },
  options: supervised,
  ...of,
});
const sampled = (policy: string) => ({
  source: 'sampled',
  policy,
  prompts: 4,
  num_generations: 2,
  max_completion_length: 32,
});
const general = { source: 'nano-general', rows: 4 };
const helpfulness = rewardModel('reward-model/helpfulness');

const parse = (...stages: object[]) =>
  recipeSchema.safeParse({
    name: 'small',
    seed: 1,
    base: 'base',
    prompts: { source: 'nano-sums', train: 4, test: 4 },
    evaluation: { max_completion_length: 32 },
    stages,
  });

/** Invalid stages, with the path of the problem and a part of its message. */
const REFUSED: Record<string, [object[], string, RegExp][]> = {
  'a policy that samples must come from an earlier stage': [
    [
      [sft('cold-start-sft', sampled('zero'))],
      '0.data.0.policy',
      /needs a policy that samples from the stage zero before it; found before it: none/,
    ],
    [
      [sft('cold-start-sft', general, sampled('zero')), rl('zero')],
      '0.data.1.policy',
      /from the stage zero before it; found before it: none/,
    ],
    [[rl('zero'), sft('cold-start-sft', sampled('zeroo'))], '1.data.0.policy', /expected one of zero, /],
  ],
  'a reward model neither samples nor is trained on as a policy': [
    [
      [helpfulness, sft('cold-start-sft', sampled('reward-model/helpfulness'))],
      '1.data.0.policy',
      /a stage by grpo or sft\), found reward-model\/helpfulness, trained by reward-model/,
    ],
    [
      [helpfulness, rl('zero', {}, { from: 'reward-model/helpfulness' })],
      '1.from',
      /needs a policy to start from \(a stage by grpo or sft\), found reward-model\/helpfulness/,
    ],
    [
      [helpfulness, rewardModel('reward-model/safety', { from: 'reward-model/helpfulness' })],
      '1.from',
      /needs a policy to start from/,
    ],
  ],
  'a stage by reinforcement leaves no data set': [
    [
      [rl('zero'), sft('cold-start-sft', { source: 'stage', stage: 'zero' })],
      '1.data.0.stage',
      /needs a data set \(a stage by sft\), found zero, trained by grpo/,
    ],
  ],
  'a stage begins with the base, a student or an earlier stage': [
    [
      [rl('zero', {}, { from: 'basee' })],
      '0.from',
      /needs a policy to start from from the stage basee before it/,
    ],
    [
      [sft('distill/small', general)],
      '0.from',
      /expected a student named under `students` \(none\), found student\/small/,
    ],
  ],
  'rewards have known names, and models of stages before': [
    [[rl('zero', { rewards: [{ name: 'acuracy' }] })], '0.options.rewards.0.name', /./],
    [
      [rl('zero', { rewards: [{ name: 'accuracy' }, { name: 'safety' }] })],
      '0.options.rewards.1.name',
      /needs a reward model from the stage reward-model\/safety before it/,
    ],
    [
      [rewardModel('reward-model/helpful')],
      '0.stage',
      /expected reward-model\/helpfulness or reward-model\/safety, found reward-model\/helpful/,
    ],
  ],
  'what joins at a step joins within the stage': [
    [
      [rl('zero', { rewards: [{ name: 'accuracy' }, { name: 'format', from_step: 5 }] })],
      '0.options.rewards.1.from_step',
      /expected a step of the stage \(at most max_steps, 4\), found 5/,
    ],
    [
      [rl('zero', { curriculum: [{ from_step: 9, domain_weights: { a: 1 } }] })],
      '0.options.curriculum.0.from_step',
      /at most max_steps, 4\), found 9/,
    ],
  ],
};

for (const [claim, cases] of Object.entries(REFUSED)) {
  test(claim, () => {
    for (const [stages, path, message] of cases) {
      const issues = parse(...stages).error?.issues ?? [];
      assert.deepEqual(
        issues.map((issue) => issue.path.slice(1).join('.')),
        [path],
      );
      assert.match(issues[0]?.message ?? '', message);
    }
  });
}

test('a stage needs the stages that it starts from, samples from, takes data from and is rewarded by', () => {
  const rewards = [{ name: 'accuracy' }, { name: 'helpfulness', from_step: 4 }];
  const { data } = parse(
    rl('zero'),
    sft('cold-start-sft', sampled('zero'), general),
    sft('rejection-sft', { source: 'stage', stage: 'cold-start-sft' }, sampled('zero')),
    helpfulness,
    rl('scenario-rl', { rewards }),
  );
  assert.deepEqual(data?.stages.map(stagesNeeded), [
    [],
    ['zero'],
    ['cold-start-sft', 'zero'],
    [],
    ['rejection-sft', 'reward-model/helpfulness'],
  ]);
});
