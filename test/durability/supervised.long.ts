import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { operatorDocument, setDocument, showDocument, whyDocument } from '../../contracts/documents.ts';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { r1, r1Json } from './command.ts';
import { awaitRest, awaitStatus, type Ground, launchRun, startCrew } from './ground.ts';
import { objectsLeft, ofCheckpoint } from './outcome.ts';
import {
  openSupervisedGround,
  REWARD_MODEL_STAGE,
  runSupervised,
  SFT_STAGE,
  type SupervisedOutcome,
  supervisedOutcome,
} from './supervised.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 900_000 };

interface Kills {
  /** in their order; a stage's step 1 comes before the next stage's */
  failpoints: string[];
  /** stage → objects of a superseded term that nobody reads */
  left?: Record<string, string[]>;
}

const checkpoint = ['model.safetensors', 'optimizer.safetensors'];

const KILLS: Record<string, Kills> = {
  'while its examples are sampled, selected part by part, and frozen': {
    failpoints: ['part-texts:0', 'part-rows:0', 'sampling:1', 'part-texts:2', 'part-rows:2', 'dataset'],
  },
  'around every commit of a step in the middle of a pass, and while it is replayed': {
    failpoints: ['batch-object:4', 'batch-row:4', 'trained:4', 'step-row:4', 'trained:5', 'trained:4'],
  },
  'around the commits of a supervised stage’s checkpoint': {
    failpoints: ['part-rows:2', 'staged:3', 'checkpoint-objects:3', 'manifest:3', 'checkpoint-row:3'],
    left: {
      [SFT_STAGE]: [...ofCheckpoint(3, checkpoint), ...ofCheckpoint(3, ['manifest.json', ...checkpoint])],
    },
  },
  'around every commit of a reward model’s step, while it is replayed, and around its checkpoint and its measurement':
    {
      failpoints: [
        'batch-object:6',
        'trained:6',
        'trained:4',
        'step-row:6',
        'batch-row:7',
        'trained:7',
        'manifest:7',
        'measured',
      ],
      left: { [REWARD_MODEL_STAGE]: ofCheckpoint(7, ['manifest.json', ...checkpoint]) },
    },
};

/** A reward model of one small step, of which everything is asked, and a policy that is to be rewarded by it. */
function unreliable({ stages, ...recipe }: Recipe): Recipe {
  const [policy, , model] = stages;
  assert.ok(policy?.algorithm === 'grpo' && model?.algorithm === 'reward-model');
  const rewards = [{ name: 'accuracy' }, { name: 'helpfulness' }];
  return recipeSchema.parse({
    ...recipe,
    stages: [
      { ...model, options: { ...model.options, max_steps: 1, learning_rate: 1e-6, min_accuracy: 1 } },
      { ...policy, options: { ...policy.options, rewards } },
    ],
  });
}

/** Samples of which none is short enough to be kept. */
function fruitless({ stages, ...recipe }: Recipe): Recipe {
  const [policy, supervised] = stages;
  assert.ok(policy !== undefined && supervised?.algorithm === 'sft');
  return { ...recipe, stages: [policy, { ...supervised, keep: { ...supervised.keep, max_tokens: 1 } }] };
}

let ground: Ground;
let calm: SupervisedOutcome;

before(async () => {
  ground = await openSupervisedGround();
  assert.equal(await runSupervised(ground, 'calm'), 'complete');
  calm = await supervisedOutcome(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

for (const [number, [when, { failpoints, left = {} }]] of Object.entries(KILLS).entries()) {
  test(`killed ${when}, a run ends in the same bits and the same data set`, PATIENCE, async () => {
    const run = `killed-${number}`;
    assert.equal(await runSupervised(ground, run, failpoints), 'complete');
    const { dataset, stages } = await supervisedOutcome(ground, run);
    assert.deepEqual(dataset, calm.dataset);
    for (const [stage, expected] of Object.entries(calm.stages)) {
      const found = stages[stage] ?? assert.fail(stage);
      assert.deepEqual(objectsLeft(found, expected).sort(), (left[stage] ?? []).sort(), stage);
      assert.deepEqual({ ...found, objects: [] }, { ...expected, objects: [] }, stage);
    }
  });
}

test(
  'a reward model that ranks too few held-out pairs correctly parks with the next commands, and the operator’s decision continues the run',
  PATIENCE,
  async () => {
    const run = 'ranks-badly';
    const { settings } = ground;
    const crew = await startCrew(ground, run);
    try {
      await launchRun({ ...ground, recipe: unreliable(ground.recipe) }, run, null);
      assert.equal(await awaitRest(ground, run), 'parked');
      const reason =
        /expected at least 1 of 8 held-out pairs ranked correctly \(min_accuracy\), found 0\.\d+/;
      const why = await r1Json(settings, whyDocument, 'why', run);
      assert.deepEqual([why.stage, why.waitsFor], [REWARD_MODEL_STAGE, 'operator']);
      assert.match(why.text, reason);
      const way = new RegExp(`r1 set ${run} ${REWARD_MODEL_STAGE} (min_accuracy=0\\.\\d+)`).exec(why.text);
      const [before, dependent] = (await r1Json(settings, showDocument, 'show', run)).stages;
      assert.match(before?.reason ?? '', reason);
      assert.equal(dependent?.status, 'pending');

      await r1Json(settings, setDocument, 'set', run, REWARD_MODEL_STAGE, way?.[1] ?? '');
      await r1Json(settings, operatorDocument, 'retry', run);
      await awaitStatus(ground, run, 'complete');
      const { stages } = await r1Json(settings, showDocument, 'show', run);
      assert.deepEqual(
        stages.map(({ status, changes }) => [status, changes.length]),
        [
          ['complete', 1],
          ['complete', 0],
        ],
      );
    } finally {
      await crew.stop();
    }
  },
);

test(
  'samples of which the rules keep none park the stage with the counts by reason and what to do',
  PATIENCE,
  async () => {
    const run = 'fruitless';
    const { settings } = ground;
    const crew = await startCrew(ground, run);
    try {
      await launchRun({ ...ground, recipe: fruitless(ground.recipe) }, run, null);
      assert.equal(await awaitRest(ground, run), 'parked');
      const why = await r1Json(settings, whyDocument, 'why', run);
      assert.deepEqual([why.stage, why.waitsFor], [SFT_STAGE, 'operator']);
      assert.match(
        why.text,
        /expected at least one accepted sample, found none of 36 \(\d+ correct; refused: .*too-long \d+/,
      );
      assert.match(
        why.text,
        new RegExp(`r1 samples ${run} ${SFT_STAGE} --rejected.*launch again.*r1 abort ${run}`),
      );
      const rejected = await r1(settings, 'samples', run, SFT_STAGE, '--rejected', '--reason', 'too-long');
      assert.equal(rejected.code, 0, rejected.error);
    } finally {
      await crew.stop();
    }
  },
);
