import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewardSchema } from '../../contracts/options.ts';
import { rewards } from '../../rewards/index.ts';

test('every name that a recipe can give is a reward of that name with a version', () => {
  assert.deepEqual(Object.keys(rewards).sort(), [...rewardSchema.shape.name.options].sort());
  for (const [name, reward] of Object.entries(rewards)) {
    assert.equal(reward.name, name);
    assert.ok(Number.isInteger(reward.version) && reward.version > 0);
  }
});
