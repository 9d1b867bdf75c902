/**
 * Launching a recipe: everything is read and checked before anything is written, then base and prompts are
 * imported, the run's row is committed, and its workflow is started.
 */

import { importBase } from '../../activities/checkpoints/import-base.ts';
import type { Stores } from '../../activities/dependencies.ts';
import type { ImportedPrompts } from '../../algorithm/data/prompt-rows.ts';
import { Failure } from '../../contracts/failures.ts';
import type { PromptSource, Recipe } from '../../contracts/recipe.ts';
import { nameSchema } from '../../contracts/reference.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import type { Database } from '../../stores/database/database.ts';
import { createRun, listRuns } from '../../stores/runs/runs.ts';
import { importPrompts, readPromptSource } from '../data/import-prompts.ts';
import { InputError } from '../errors.ts';
import { startRunWorkflow, workflowUrl } from '../run/workflow-client.ts';
import type { Connections } from '../stack/connections.ts';
import { importLaunchData, type LaunchData, readLaunchData } from './launch-data.ts';
import { readModels } from './named-models.ts';
import type { RecipeFile } from './recipe-file.ts';
import { refuseUnfitData } from './refuse-data.ts';
import { refuseUnfitModels } from './refuse-models.ts';
import { refuseDomains, refuseOverlap, refuseSplits } from './refuse-prompts.ts';
import { refuseSelection } from './refuse-selection.ts';
import { type ImportedLaunch, runPlan } from './run-plan.ts';

/** A recipe with all that it names, read and found usable; nothing is written yet. */
export interface CheckedLaunch {
  recipe: Recipe;
  model: ModelFolder;
  /** by name */
  students: Record<string, ModelFolder>;
  prompts: ImportedPrompts;
  generalDomains: string[];
  data: LaunchData;
}

export interface Launched {
  run: string;
  workflowId: string;
  /** in the Temporal UI */
  ui: string | null;
}

/** Reads and checks what a recipe names. Throws before anything is written. */
export async function checkLaunch(
  { recipe, folder, at }: RecipeFile,
  { database, objects }: Pick<Connections, 'database' | 'objects'>,
): Promise<CheckedLaunch> {
  const places = { folder, database };
  const read = (key: 'prompts' | 'general_prompts', source: PromptSource) =>
    readPromptSource(source, places).catch((error: unknown) => refuseMade(error, source, at?.([key])));
  const reasoning = await read('prompts', recipe.prompts);
  refuseSplits(recipe, reasoning.prompts, at);
  const general = recipe.general_prompts && (await read('general_prompts', recipe.general_prompts));
  const prompts = { ...reasoning, prompts: [...reasoning.prompts, ...(general?.prompts ?? [])] };
  refuseOverlap(prompts.prompts);
  refuseDomains(recipe, prompts.prompts, at);
  const generalDomains = [...new Set(general?.prompts.map(({ domain }) => domain))];
  refuseSelection(recipe, prompts.prompts, generalDomains);
  const { base: model, students } = await readModels(recipe, folder, objects, at);
  const models = { base: model, ...students };
  refuseUnfitModels(recipe, prompts.prompts, models);
  const data = await readLaunchData(recipe, { folder, database, objects });
  refuseUnfitData(recipe, data, { models, prompts: prompts.prompts });
  return { recipe, model, students, prompts, generalDomains, data };
}

/** What cannot be made is wrong in the recipe itself; what is read names its own file and line. */
function refuseMade(error: unknown, { source }: PromptSource, place = ''): never {
  const isMade = source !== 'jsonl' && source !== 'imported';
  throw isMade && error instanceof Failure ? new InputError(`${place}${error.message}`) : error;
}

/** Imports, commits and starts a checked launch. */
export async function launch(
  checked: CheckedLaunch,
  connections: Connections,
  name?: string,
): Promise<Launched> {
  const { recipe } = checked;
  // Reached before anything is written: a run without its workflow would only wait.
  const temporal = await connections.temporal();
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const imported = await importLaunch(checked, { database, objects });
  const { run } = await createRun(database, {
    run: await runName(database, recipe, name),
    recipe,
    plan: runPlan(recipe, imported),
    base: imported.base,
  });
  await startRunWorkflow(temporal, { run, summary: summaryOf(recipe) });
  const workflowId = runWorkflowId(run);
  return { run, workflowId, ui: workflowUrl(connections.stack, workflowId) };
}

async function importLaunch(
  { recipe, model, students, prompts, generalDomains, data }: CheckedLaunch,
  stores: Stores,
): Promise<ImportedLaunch> {
  const imported: Record<string, CommittedCheckpoint> = {};
  for (const [name, student] of Object.entries(students)) imported[name] = await importBase(stores, student);
  return {
    base: await importBase(stores, model),
    students: imported,
    prompts: await importPrompts(stores, { name: recipe.name, prompts: prompts.prompts }),
    generalDomains,
    ...(await importLaunchData(recipe, data, stores)),
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
