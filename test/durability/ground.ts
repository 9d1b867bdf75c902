/**
 * Where runs are undisturbed or killed: servers of the test's own, a tiny base, and for each run workers of its own,
 * kept alive by a supervisor that owns nothing else.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { checkLaunch, launch } from '../../cli/launch/launch.ts';
import type { Connections } from '../../cli/stack/connections.ts';
import { Failure } from '../../contracts/failures.ts';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import type { RunStatus } from '../../contracts/stage-state.ts';
import { connectionEnvironment } from '../../infra/connections.ts';
import { homePaths, MIGRATIONS } from '../../infra/paths.ts';
import { readSettings, type Settings } from '../../infra/settings.ts';
import { type Stack, startStack, stopStack } from '../../infra/stack.ts';
import { readState, type StackState } from '../../infra/supervisor/state.ts';
import { localWorkers, type WorkerSpec } from '../../infra/supervisor/workers.ts';
import { createDatabase, type Database } from '../../stores/database/database.ts';
import { migrate } from '../../stores/database/migrate.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { commitChanges } from '../../stores/runs/changes.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { writeTinyBase } from './tiny-base.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

export const STAGE = 'zero';

/** Checkpoints at 5, 10 and 12; between the first two a new rollout, a refresh of the reference and a live change. */
export const SAVED_STEP = 5;
export const REFRESH_STEP = 7;
export const CHANGE_STEP = 7;
/** the first step of the third rollout */
export const ROLLOUT_STEP = 9;
export const LAST_STEP = 12;

export interface Ground {
  folder: string;
  settings: Settings;
  stack: Stack;
  recipe: Recipe;
  connections: Connections;
  close(): Promise<void>;
}

interface GroundOptions {
  /** by default the recipe whose steps the constants above tell */
  recipe?: (base: string) => Recipe;
  /** a history of more events than this is ended at the next checkpoint; null: as the server suggests by itself */
  historyEvents?: number | null;
  /** where everything lies, which goes with the ground; by default a fresh temporary folder */
  folder?: string;
}

/** Starts the servers and makes the base. */
export async function openGround({
  recipe = killedRecipe,
  historyEvents = 100,
  folder = mkdtempSync(join(tmpdir(), 'r1-durability-')),
}: GroundOptions = {}): Promise<Ground> {
  const settings = serverSettings(folder, historyEvents);
  const [stack, base] = await Promise.all([startStack({ settings, workers: false }), writeTinyBase(folder)]);
  const connections = await connect(stack);
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  await migrate(database, MIGRATIONS);
  await objects.ensureBucket();
  const close = async () => {
    await Promise.allSettled([database.close(), (await connections.temporal()).connection.close()]);
    objects.close();
    await stopStack({ settings, purge: true });
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, settings, stack, recipe: recipe(base), connections, close };
}

/** Settings of a ground's servers. */
export function serverSettings(folder: string, historyEvents: number | null = null): Settings {
  return settingsOf(join(folder, 'servers'), {
    R1_TEMPORAL_DYNAMIC_CONFIG:
      historyEvents === null ? '' : `limit.historyCount.suggestContinueAsNew=${historyEvents}`,
  });
}

/** Connections to a stack's servers that stay open until they are closed. */
export async function connect(stack: Stack): Promise<Connections> {
  const { address, namespace } = stack.temporal;
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const [database, objects] = [createDatabase(stack.postgres.url), createObjectStore(stack.s3)];
  return {
    stack,
    database: () => Promise.resolve(database),
    objects: () => Promise.resolve(objects),
    temporal: () => Promise.resolve(client),
  };
}

/** Settings of a stack in this folder; nothing of this process's own R1_ variables is in them. */
export function settingsOf(home: string, variables: Record<string, string> = {}): Settings {
  const { PATH, HOME, XDG_CACHE_HOME, R1_CACHE } = process.env;
  return readSettings({ PATH, HOME, XDG_CACHE_HOME, R1_CACHE, R1_HOME: home, ...variables });
}

function killedRecipe(base: string): Recipe {
  return recipeSchema.parse({
    name: 'durability',
    seed: 7,
    base,
    prompts: { source: 'nano-sums', terms: 2, limit: 6, train: 20, test: 1 },
    evaluation: { problems: 1, k: 2, quick_problems: 1, quick_k: 2, max_completion_length: 16 },
    stages: [
      {
        stage: STAGE,
        algorithm: 'grpo',
        options: {
          learning_rate: 1e-3,
          warmup_steps: 2,
          max_steps: LAST_STEP,
          save_steps: SAVED_STEP,
          prompts_per_step: 4,
          num_generations: 4,
          steps_per_generation: 2,
          num_iterations: 2,
          dynamic_sampling: true,
          max_completion_length: 16,
          beta: 0.05,
          ref_model_sync_steps: REFRESH_STEP,
          ref_model_mixup_alpha: 0.5,
        },
      },
    ],
  });
}

/** Workers of one run, under a supervisor of their own. */
export interface Crew {
  settings: Settings;
  state(): StackState;
  /** path of a worker's log */
  log(worker: string): string;
  /** how many failpoints were met */
  happened(): number;
  stop(): Promise<void>;
}

interface CrewOptions {
  failpoints?: string[];
  workers?: WorkerSpec[];
  /** the engine's: they belong to its numerics */
  threads?: number;
}

/** Starts workers that will meet the given failpoints (`activities/failpoints.ts`), in their order. */
export async function startCrew(
  { folder, stack }: Pick<Ground, 'folder' | 'stack'>,
  name: string,
  { failpoints = [], workers = localWorkers(), threads = 1 }: CrewOptions = {},
): Promise<Crew> {
  const settings = settingsOf(join(folder, name), {
    ...connectionEnvironment(stack),
    R1_THREADS: String(threads),
    R1_FAILPOINT: failpoints.join(','),
  });
  await startStack({ settings, workers });
  const paths = homePaths(settings.home);
  return {
    settings,
    state: () => readState(paths.state) ?? missingState(paths.state),
    log: (worker) => join(paths.logs, `${worker}.log`),
    happened: () => (failpoints.length === 0 ? 0 : readdirSync(join(settings.home, 'failpoints')).length),
    stop: async () => void (await stopStack({ settings })),
  };
}

/** What the supervisors of a crew and of the servers say of a process by this name. */
export function processNamed(
  { settings }: Ground,
  crew: Crew,
  name: string,
): StackState['processes'][number] | undefined {
  const servers = readState(homePaths(settings.home).state);
  return [crew.state(), servers]
    .flatMap((state) => state?.processes ?? [])
    .find((process) => process.name === name);
}

function missingState(path: string): never {
  throw new Error(`expected a supervisor's state at ${path}, found none`);
}

const LIVE_CHANGE = { values: { learning_rate: 4e-4 }, atStep: CHANGE_STEP, author: 'operator' };

/** Launches the recipe under this name, as the command does, and commits the live change. */
export async function launchRun(
  { recipe, connections }: Pick<Ground, 'recipe' | 'connections'>,
  run: string,
  change: typeof LIVE_CHANGE | null = LIVE_CHANGE,
): Promise<void> {
  const checked = await checkLaunch({ recipe, folder: '/' }, connections);
  await launch(checked, connections, run);
  if (change !== null) await commitChanges(await connections.database(), { run, stage: STAGE }, change);
}

/**
 * Asks the rows until the answer is one. Servers may be away meanwhile: that is waited out, anything else is thrown.
 */
export async function eventually<Answer>(
  { connections }: Pick<Ground, 'connections'>,
  ask: (database: Database) => Promise<Answer | null>,
): Promise<Answer> {
  const database = await connections.database();
  for (;;) {
    const answer = await ask(database).catch(nullWhereAway);
    if (answer !== null) return answer;
    await sleep(100);
  }
}

function nullWhereAway(error: unknown): null {
  if (error instanceof Failure && error.kind === 'Unavailable') return null;
  throw error;
}

/** Waits until a run is complete, parked, paused or aborted; tells which. */
export function awaitRest(ground: Ground, run: string): Promise<RunStatus> {
  return eventually(ground, async (database) => {
    const { status } = await getRun(database, run);
    return status === 'running' ? null : status;
  });
}

/** Waits until a run's status is this. */
export function awaitStatus(ground: Ground, run: string, status: RunStatus): Promise<true> {
  return eventually(ground, async (database) =>
    (await getRun(database, run)).status === status ? true : null,
  );
}

/** The last recorded step of a run; 0 before any. */
export async function lastStep(database: Database, run: string): Promise<number> {
  const [row] = await database.query<{ step: number }>(
    'SELECT coalesce(max(step), 0) AS step FROM steps WHERE run = $1',
    [run],
  );
  return row?.step ?? 0;
}

/** Waits until a run has recorded this step. */
export function awaitStep(ground: Ground, run: string, step: number): Promise<true> {
  return eventually(ground, async (database) => ((await lastStep(database, run)) >= step ? true : null));
}

/** Runs the recipe from launch to rest with workers that meet these failpoints, all of which must have happened. */
export async function runThrough(
  ground: Ground,
  run: string,
  failpoints: string[] = [],
  change: typeof LIVE_CHANGE | null = LIVE_CHANGE,
): Promise<string> {
  const crew = await startCrew(ground, run, { failpoints });
  try {
    await launchRun(ground, run, change);
    return await awaitRest(ground, run);
  } finally {
    await crew.stop();
    assert.equal(crew.happened(), failpoints.length, `of ${failpoints}`);
  }
}
