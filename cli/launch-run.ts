/**
 * Launching a recipe: everything is read and checked before anything is written, then base and prompts are
 * imported, the run's row is committed, and its workflow is started.
 */
import { resolve } from 'node:path';
import { importBase } from '../activities/import-base.ts';
import { importPrompts, readPromptSource } from '../activities/import-prompts.ts';
import { readCheckpoint } from '../activities/read-checkpoint.ts';
import { promptTokens } from '../activities/sample-request.ts';
import type { ImportedPrompts } from '../algorithm/prompt-rows.ts';
import type { CommittedCheckpoint, RunPlan } from '../contracts/activities.ts';
import type { Recipe } from '../contracts/recipe.ts';
import { nameSchema } from '../contracts/reference.ts';
import { runWorkflowId } from '../contracts/workflows.ts';
import { type ModelFolder, readModelFolder } from '../engine/model-folder.ts';
import type { Database } from '../stores/database.ts';
import type { PromptSet } from '../stores/prompts.ts';
import { createRun, listRuns } from '../stores/runs.ts';
import type { Connections } from './connections.ts';
import { InputError } from './errors.ts';
import type { RecipeFile } from './recipe-file.ts';
import { startRunWorkflow, workflowUrl } from './workflow-client.ts';

/** A recipe with all that it names, read and found usable; nothing is written yet. */
export interface CheckedLaunch {
  recipe: Recipe;
  model: ModelFolder;
  prompts: ImportedPrompts;
}

export interface Launched {
  run: string;
  workflowId: string;
  /** in the Temporal UI */
  ui: string | null;
}

/** Reads and checks what a recipe names. Throws before anything is written. */
export async function checkLaunch(
  { recipe, folder }: RecipeFile,
  { database, objects }: Pick<Connections, 'database' | 'objects'>,
): Promise<CheckedLaunch> {
  const prompts = await readPromptSource(recipe.prompts, { folder, database });
  refuseSplits(recipe, prompts);
  const model = recipe.base.startsWith('s3://')
    ? await readStoredBase(recipe.base, objects)
    : await readModelFolder(resolve(folder, recipe.base));
  refuseTooLong(recipe, prompts, model);
  return { recipe, model, prompts };
}

async function readStoredBase(uri: string, objects: Connections['objects']): Promise<ModelFolder> {
  const store = await objects();
  const { reference } = await store.getByUri(uri);
  return readCheckpoint({ objects: store }, reference);
}

function refuseSplits({ evaluation }: Recipe, { prompts }: ImportedPrompts): void {
  const heldOut = prompts.filter(({ split }) => split === 'test').length;
  if (heldOut === prompts.length) {
    throw new InputError('prompts: expected some to train on, found held-out ones (split "test") alone');
  }
  const most = Math.max(evaluation.problems, evaluation.quick_problems);
  if (heldOut >= most) return;
  throw new InputError(
    `evaluation: expected at most as many problems as prompts are held out (${heldOut}), found ${most}. ` +
      'Hold out more (prompts.test, rows with "split": "test"), or set evaluation.problems and quick_problems.',
  );
}

/** Prompt and completion must fit into the model's positions. */
function refuseTooLong(
  { prompt_format, stages, evaluation }: Recipe,
  { prompts }: ImportedPrompts,
  model: ModelFolder,
) {
  const positions = model.config.max_position_embeddings;
  const completion = Math.max(
    evaluation.max_completion_length,
    ...stages.map(({ options }) => options.max_completion_length),
  );
  for (const { problem, source, line } of prompts) {
    const { length } = promptTokens(model.tokenizer, prompt_format, problem);
    if (length + completion <= positions) continue;
    throw new InputError(
      `${source} line ${line}: expected prompt and max_completion_length within the model's ${positions} positions, ` +
        `found ${length} + ${completion}. Shorten max_completion_length, or leave the prompt out.`,
    );
  }
}

/** Imports, commits and starts a checked launch. */
export async function launch(
  { recipe, model, prompts }: CheckedLaunch,
  connections: Connections,
  name?: string,
): Promise<Launched> {
  // Reached before anything is written: a run without its workflow would only wait.
  const temporal = await connections.temporal();
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const base = await importBase({ objects }, model);
  const set = await importPrompts({ database }, { name: recipe.name, prompts: prompts.prompts });
  const plan = planOf(recipe, base, set);
  const { run } = await createRun(database, {
    run: await runName(database, recipe, name),
    recipe,
    plan,
    base,
  });
  await startRunWorkflow(temporal, { run, summary: summaryOf(recipe) });
  const workflowId = runWorkflowId(run);
  return { run, workflowId, ui: workflowUrl(connections.stack, workflowId) };
}

function planOf(recipe: Recipe, initial: CommittedCheckpoint, set: PromptSet): RunPlan {
  return {
    seed: String(recipe.seed),
    promptSet: set.digest,
    trainPrompts: set.train,
    promptFormat: recipe.prompt_format,
    stages: recipe.stages.map(({ stage, options }) => ({
      stage,
      options,
      evaluation: recipe.evaluation,
      initial,
    })),
  };
}

/** `nano-zero · seed 1 · zero 90 steps`: what the Temporal UI calls the run. */
export function summaryOf({ name, seed, stages }: Recipe): string {
  const steps = stages.map(({ stage, options }) => `${stage} ${options.max_steps} steps`);
  return [name, `seed ${seed}`, ...steps].join(' · ');
}

/** The name given, or the recipe's with the next free number. */
async function runName(database: Database, recipe: Recipe, given: string | undefined): Promise<string> {
  if (given !== undefined) return checkName(given);
  const taken = new Set((await listRuns(database)).map(({ run }) => run));
  for (let number = 1; ; number++) {
    const name = `${recipe.name}-${number}`;
    if (!taken.has(name)) return checkName(name);
  }
}

/** Refuses a name that could not be part of ids and keys; checked before anything else is done. */
export function checkName(name: string): string {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success) return name;
  throw new InputError(`--name ${name}: ${parsed.error.issues[0]?.message ?? 'not a name'}`);
}
