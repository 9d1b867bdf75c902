import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { recipeSchema } from '../../contracts/recipe.ts';
import { listTrainerQueue } from '../../stores/runs/trainer-queue.ts';
import {
  awaitRest,
  awaitStep,
  eventually,
  type Ground,
  launchRun,
  openGround,
  runThrough,
  startCrew,
} from './ground.ts';
import { type Outcome, objectsLeft, ofCheckpoint, outcomeOf } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let calm: Outcome;

before(async () => {
  ground = await openGround();
  assert.equal(await runThrough(ground, 'calm'), 'complete');
  calm = await outcomeOf(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

test(
  'killed while it samples, between a batch and its row, between a step and its row, and again while it replays, a run ends in the same bits',
  PATIENCE,
  async () => {
    const failpoints = ['sampling:9', 'batch-object:9', 'trained:9', 'trained:7'];
    assert.equal(await runThrough(ground, 'killed', failpoints), 'complete');
    assert.deepEqual(await outcomeOf(ground, 'killed'), calm);
  },
);

test(
  'killed when a checkpoint is staged, and while it is written beside training, a run ends in the same bits',
  PATIENCE,
  async () => {
    assert.equal(await runThrough(ground, 'saving', ['staged:10', 'checkpoint-objects:10']), 'complete');
    const found = await outcomeOf(ground, 'saving');
    const left = ofCheckpoint(10, ['model.safetensors', 'optimizer.safetensors']);
    assert.deepEqual(objectsLeft(found, calm), left);
    assert.deepEqual(found, { ...calm, objects: found.objects });
  },
);

test('runs that wait for the one trainer are served in the order of their launch', PATIENCE, async () => {
  const [stage] = ground.recipe.stages;
  const recipe = recipeSchema.parse({
    ...ground.recipe,
    stages: [{ ...stage, options: { ...stage?.options, warmup_steps: 0, max_steps: 1, save_steps: 1 } }],
  });
  const runs = ['first', 'second', 'third'];
  const crew = await startCrew(ground, 'queue');
  try {
    await launchRun(ground, 'first', null);
    await awaitStep(ground, 'first', 1);
    for (const run of ['second', 'third']) {
      await launchRun({ ...ground, recipe }, run, null);
      await eventually(ground, async (database) =>
        (await listTrainerQueue(database)).some((waiting) => waiting.run === run) ? true : null,
      );
    }
    for (const run of runs) assert.equal(await awaitRest(ground, run), 'complete');
    const database = await ground.connections.database();
    const trained = await database.query<{ run: string }>(
      'SELECT run FROM steps WHERE run = ANY($1) GROUP BY run ORDER BY min(recorded_at)',
      [runs],
    );
    assert.deepEqual(
      trained.map(({ run }) => run),
      runs,
    );
    assert.deepEqual(await listTrainerQueue(database), []);
  } finally {
    await crew.stop();
  }
});
