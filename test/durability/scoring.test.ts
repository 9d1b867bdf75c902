import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { type Ground, openGround, runThrough, STAGE } from './ground.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { REWARD_MODEL_STAGE, supervisedRecipe } from './supervised.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

/** A reward model, and a policy that is rewarded by it and by rule. */
function scored(base: string): Recipe {
  const { stages, ...recipe } = supervisedRecipe()(base);
  const [policy, , model] = stages;
  assert.ok(policy?.algorithm === 'grpo' && model?.algorithm === 'reward-model');
  const rewards = [{ name: 'accuracy' }, { name: 'helpfulness', weight: 0.5 }];
  return recipeSchema.parse({
    ...recipe,
    stages: [
      { ...model, options: { ...model.options, max_steps: 2 } },
      { ...policy, options: { ...policy.options, rewards, shard_size: 2 } },
    ],
  });
}

let ground: Ground;

before(async () => {
  ground = await openGround({ recipe: scored });
}, PATIENCE);
after(() => ground?.close());

async function outcomesOf(run: string): Promise<Record<string, Outcome>> {
  const outcomes: Record<string, Outcome> = {};
  for (const stage of [REWARD_MODEL_STAGE, STAGE]) outcomes[stage] = await outcomeOf(ground, run, stage);
  return outcomes;
}

test(
  'a policy is rewarded by a model of its run, shard by shard; killed while it scores, the run ends in the same bits',
  PATIENCE,
  async () => {
    assert.equal(await runThrough(ground, 'calm', [], null), 'complete');
    const objects = await ground.connections.objects();
    const keys = (await objects.list('runs/calm/')).map(({ key }) => key);
    const of = (folder: string, record: string) =>
      keys.filter((key) => key.includes(folder) && key.includes(`/${record}-`)).length;
    // Held-out preferences are one slice; each of two rollouts is of two shards.
    assert.deepEqual([of('/ranking/', 'sequences'), of('/ranking/', 'model-scores')], [1, 1]);
    assert.deepEqual([of('/rollouts/', 'sequences'), of('/rollouts/', 'model-scores')], [4, 4]);
    // By rule, and by rule and model.
    assert.equal(of('/rollouts/', 'scores'), 8);

    const killed = ['model-scores', 'trained:1'];
    assert.equal(await runThrough(ground, 'killed', killed, null), 'complete');
    assert.deepEqual(await outcomesOf('killed'), await outcomesOf('calm'));
  },
);
