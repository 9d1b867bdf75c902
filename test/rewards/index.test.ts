import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grpoSchema } from '../../contracts/options.ts';
import { modelRewardNames, rewardSchema } from '../../contracts/rewards.ts';
import { makeReward, rewardNames } from '../../rewards/index.ts';
import { scored, tools } from './support.ts';

test('every name that a recipe can give is a reward of that name with a version, or of a trained model', () => {
  const names = rewardSchema.options.map(({ shape }) => shape.name.value);
  assert.deepEqual([...rewardNames, ...modelRewardNames].sort(), [...names].sort());
  for (const name of rewardNames) {
    const reward = makeReward({ name }, tools);
    assert.equal(reward.name, name);
    assert.ok(Number.isInteger(reward.version) && reward.version > 0);
  }
});

test('options of another reward are rejected', () => {
  for (const name of rewardNames) {
    const parsed = rewardSchema.safeParse({ name, options: { surely_unknown: 1 } });
    assert.equal(parsed.success, false, name);
  }
  assert.ok(!rewardSchema.safeParse({ name: 'format', options: { target: 'en' } }).success);
});

test('length is punished by tokens, with an interval that depends on the maximum completion length', async () => {
  const score = (completionTokens: number, options = {}) =>
    scored('length', { completionTokens, maxCompletionLength: 100 }, options);
  assert.deepEqual(await score(80), { score: 0 });
  assert.deepEqual(await score(90), { score: -0.5 });
  assert.deepEqual(await score(100), { score: -1 });
  assert.deepEqual(await score(45, { max_length: 50, soft_punish_cache: 10 }), { score: -0.5 });
});

test('a recipe with contradictory length limits is rejected', () => {
  const recipe = (options: object) => ({
    learning_rate: 1e-4,
    max_steps: 1,
    prompts_per_step: 1,
    max_completion_length: 100,
    rewards: [{ name: 'accuracy' }, { name: 'length', options }],
  });
  assert.ok(grpoSchema.safeParse(recipe({ soft_punish_cache: 100 })).success);
  for (const options of [
    { soft_punish_cache: 101 },
    { max_length: 101 },
    { max_length: 5, soft_punish_cache: 6 },
  ]) {
    const parsed = grpoSchema.safeParse(recipe(options));
    assert.match(
      parsed.error?.issues[0]?.message ?? '',
      /^length: (max_length|soft_punish_cache): expected at most/,
    );
  }
});
