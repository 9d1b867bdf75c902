/** R1-Zero in miniature, shortened, on disks that fill up: it ends in the bits of a run that nothing disturbed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { readRecipe } from '../../cli/recipe/recipe-file.ts';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import {
  groundFolder,
  homeOnSmallDisk,
  MAY_NOT_MOUNT,
  postgresOnSmallDisk,
  runThroughFullDisk,
} from './full-disk.ts';
import { openGround, runThrough } from './ground.ts';
import { type Outcome, objectsLeft, outcomeOf } from './outcome.ts';

const PATIENCE = { timeout: 7_200_000 };
const MEGABYTES = 768;
const ALL = ['temporal', 'postgres', 's3', 'orchestrator', 'trainer', 'rewards'];

let recipe: Recipe;
before(async () => {
  recipe = await shortened();
});

test(
  'a run goes through a full disk for everything, and ends in the same bits',
  PATIENCE,
  async (t: TestContext) => {
    const folder = groundFolder();
    const disk = homeOnSmallDisk(folder, MEGABYTES);
    if (disk === undefined) return t.skip(MAY_NOT_MOUNT);
    const ground = await openGround({ folder: join(folder, 'ground'), recipe: () => recipe });
    t.after(async () => {
      await ground.close();
      disk.unmount();
    });
    assert.equal(await runThrough(ground, 'calm', [], null), 'complete');
    const calm = await outcomeOf(ground, 'calm');
    for (const [run, killed] of [
      ['left-alone', []],
      ['killed', ALL],
    ] as const) {
      const outage = { step: 2, seconds: 60, killed, change: null };
      assert.equal(await runThroughFullDisk(ground, run, disk, outage), 'complete');
      sameBits(await outcomeOf(ground, run), calm, run);
    }
  },
);

test(
  'a run goes through a full disk for PostgreSQL alone, and ends in the same bits',
  PATIENCE,
  async (t: TestContext) => {
    const folder = groundFolder();
    const disk = await postgresOnSmallDisk(folder, MEGABYTES);
    if (disk === undefined) return t.skip(MAY_NOT_MOUNT);
    const ground = await openGround({ folder, recipe: () => recipe });
    t.after(async () => {
      disk.unmount();
      await ground.close();
    });
    assert.equal(await runThrough(ground, 'calm', [], null), 'complete');
    const calm = await outcomeOf(ground, 'calm');
    for (const [run, killed] of [
      ['left-alone', []],
      ['killed', ['postgres', 'trainer']],
    ] as const) {
      const outage = { step: 2, seconds: 60, killed, change: null };
      assert.equal(await runThroughFullDisk(ground, run, disk, outage), 'complete');
      sameBits(await outcomeOf(ground, run), calm, run);
    }
  },
);

/** What a trainer has written when it is killed, and no row names yet, is left beside what its successor writes. */
function sameBits(found: Outcome, calm: Outcome, run: string): void {
  assert.deepEqual(found, { ...calm, objects: found.objects }, run);
  const left = objectsLeft(found, calm);
  assert.deepEqual(run === 'killed' ? [] : left, [], `${run} leaves ${left.join(', ')}`);
}

async function shortened(): Promise<Recipe> {
  const file = await readRecipe(join(PROJECT_ROOT, 'recipes', 'nano-zero.yaml'));
  const [stage] = file.recipe.stages;
  return recipeSchema.parse({
    ...file.recipe,
    base: join(file.folder, file.recipe.base),
    evaluation: { ...file.recipe.evaluation, problems: 2, k: 2, max_completion_length: 32 },
    stages: [
      {
        ...stage,
        options: {
          ...stage?.options,
          max_steps: 8,
          save_steps: 3,
          eval_steps: 0,
          prompts_per_step: 4,
          num_generations: 4,
          max_completion_length: 48,
        },
      },
    ],
  });
}
