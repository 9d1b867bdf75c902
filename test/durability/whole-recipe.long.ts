import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRecipe } from '../../cli/recipe/recipe-file.ts';
import {
  type ExampleSource,
  type PreferenceSource,
  type Recipe,
  recipeSchema,
  type StageRecipe,
} from '../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import {
  awaitRest,
  type Crew,
  eventually,
  type Ground,
  launchRun,
  openGround,
  processNamed,
  startCrew,
} from './ground.ts';
import { type Outcome, objectsLeft, outcomeOf } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 1_800_000 };

/** Of each stage: few, with a checkpoint in the middle. */
const STEPS = 4;
const LATE_STEP = 3;
/** Recorded steps from one kill to the next. */
const STEPS_A_KILL = 3;
const VICTIMS = ['trainer', 'orchestrator', 'postgres', 'rewards', 's3', 'temporal'] as const;

let ground: Ground;

before(async () => {
  const recipe = await wholeRecipe();
  ground = await openGround({ recipe: () => recipe, historyEvents: 400 });
}, PATIENCE);
after(() => ground?.close());

test(
  'the whole recipe, one process or another killed every few steps, ends in the same bits in every stage',
  PATIENCE,
  async () => {
    const calm = await runWhole('calm', async () => 0);
    const killed = await runWhole('killed', (crew) => killThroughout('killed', crew));
    assert.equal(calm.kills, 0);
    // Steps are counted over all stages, so that kills fall into every one of them.
    const stages = ground.recipe.stages.length;
    assert.equal(killed.kills, Math.floor((stages * STEPS - 1) / STEPS_A_KILL));
    for (const [stage, expected] of Object.entries(calm.outcomes)) {
      const found = killed.outcomes[stage] ?? assert.fail(stage);
      // What no row names when its writer dies is left beside its equal; nothing is lost.
      objectsLeft(found, expected);
      assert.deepEqual({ ...found, objects: [] }, { ...expected, objects: [] }, stage);
    }
  },
);

async function runWhole(run: string, disturb: (crew: Crew) => Promise<number>) {
  const crew = await startCrew(ground, run);
  try {
    await launchRun(ground, run, null);
    const kills = await disturb(crew);
    assert.equal(await awaitRest(ground, run), 'complete');
    const outcomes: Record<string, Outcome> = {};
    for (const { stage } of ground.recipe.stages) outcomes[stage] = await outcomeOf(ground, run, stage);
    return { kills, outcomes };
  } finally {
    await crew.stop();
  }
}

/** Kills the victims in turn, one whenever so many more steps are recorded; tells how many it killed. */
async function killThroughout(run: string, crew: Crew): Promise<number> {
  const all = ground.recipe.stages.length * STEPS;
  let kills = 0;
  for (let steps = STEPS_A_KILL; steps < all; steps += STEPS_A_KILL) {
    await eventually(ground, async (database) => {
      const [row] = await database.query<{ steps: number }>(
        'SELECT count(*)::integer AS steps FROM steps WHERE run = $1',
        [run],
      );
      return (row?.steps ?? 0) >= steps ? true : null;
    });
    await kill(VICTIMS[kills % VICTIMS.length] ?? assert.fail(), crew);
    kills += 1;
  }
  return kills;
}

/** One that is being restarted is killed once it is there again. */
async function kill(name: (typeof VICTIMS)[number], crew: Crew): Promise<void> {
  const pid = await eventually(ground, async () => {
    const found = processNamed(ground, crew, name);
    return found?.state === 'running' ? (found.identity?.pid ?? null) : null;
  });
  process.kill(pid, 'SIGKILL');
}

/** `recipes/nano-r1.yaml` with all its stages, each of a few small steps. */
async function wholeRecipe(): Promise<Recipe> {
  const { recipe, folder } = await readRecipe(join(PROJECT_ROOT, 'recipes/nano-r1.yaml'));
  const absolute = (path: string) => join(folder, path);
  const students = Object.entries(recipe.students).map(([name, path]) => [name, absolute(path)]);
  return recipeSchema.parse({
    ...recipe,
    base: absolute(recipe.base),
    students: Object.fromEntries(students),
    evaluation: {
      ...recipe.evaluation,
      ...{ problems: 8, k: 2, quick_problems: 4, quick_k: 2, general_problems: 6 },
    },
    stages: recipe.stages.map((stage) => shortened(stage, absolute)),
  });
}

function shortened(stage: StageRecipe, absolute: (path: string) => string): object {
  const brief = { max_steps: STEPS, save_steps: 2, warmup_steps: 1 };
  if (stage.algorithm === 'sft') {
    const options = { ...stage.options, ...brief, per_device_train_batch_size: 8 };
    return { ...stage, options, data: stage.data.map((source) => fewer(source, absolute)) };
  }
  if (stage.algorithm === 'reward-model') {
    const options = { ...stage.options, ...brief, per_device_train_batch_size: 8, min_accuracy: 0 };
    return { ...stage, options, preferences: few(stage.preferences) };
  }
  const { rewards, curriculum } = stage.options;
  const options = {
    ...stage.options,
    ...brief,
    ...{ eval_steps: 2, prompts_per_step: 4, num_generations: 8 },
    rewards: rewards.map((reward) =>
      reward.from_step === undefined ? reward : { ...reward, from_step: LATE_STEP },
    ),
    curriculum: curriculum.map((phase) => ({ ...phase, from_step: LATE_STEP })),
  };
  return { ...stage, options };
}

function fewer(source: ExampleSource, absolute: (path: string) => string): ExampleSource {
  if (source.source === 'sampled') return { ...source, prompts: 24, prompts_per_request: 8 };
  if (source.source === 'nano-general') return { ...source, rows: 30 };
  return source.source === 'jsonl' ? { ...source, path: absolute(source.path) } : source;
}

const few = (source: PreferenceSource): PreferenceSource =>
  source.source === 'nano' ? { ...source, train: 100, test: 20 } : source;
