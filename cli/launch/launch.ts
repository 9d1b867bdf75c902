/**
 * The launch of a recipe, top to bottom:
 *
 *   read      the recipe's file with its overrides (`readRecipe`)
 *   resolve   what the recipe names: prompts, models, examples and preferences
 *   check     every row of CHECKS
 *   import    what was resolved into the stores
 *   plan      the run: what its activities read
 *   start     its workflow, once its row is committed
 *
 * Nothing is written before everything is checked. `r1 launch --dry-run` stops after the checks and counts what the
 * run would do; `r1 start` launches its own recipe in the same way.
 */

import type { Recipe } from '../../contracts/recipe.ts';
import { nameSchema } from '../../contracts/reference.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { listModels } from '../../stores/data/models.ts';
import type { Database } from '../../stores/database/database.ts';
import { createRun, listRuns } from '../../stores/runs/runs.ts';
import { InputError } from '../errors.ts';
import type { RecipeFile } from '../recipe/recipe-file.ts';
import { startRunWorkflow, summaryOf, workflowUrl } from '../run/workflow-client.ts';
import type { Connections } from '../stack/connections.ts';
import { heldOutExamples, longExamples, longPreferences, unknownCharacters } from './check-data.ts';
import { longPrompts, longSequences, missingTemplate, unknownTokens } from './check-models.ts';
import {
  contaminatedSamples,
  missingPrompts,
  sharedProblems,
  unknownDomains,
  unreachableLengths,
} from './check-prompts.ts';
import { importNamed, runPlan } from './import.ts';
import {
  type ResolvedLaunch,
  resolveData,
  resolveModels,
  resolvePrompts,
  type WithModels,
  type WithPrompts,
} from './resolve.ts';

/** Returns a text for each problem; no text where the check passes. */
type Check<Resolved> = (resolved: Resolved) => string[];

/**
 * Every check: what is checked, and the function that returns the problems. A group runs as soon as what it needs is
 * resolved, so that a wrong number is refused before large models are read.
 */
const CHECKS: {
  prompts: Record<string, Check<WithPrompts>>;
  models: Record<string, Check<WithModels>>;
  data: Record<string, Check<ResolvedLaunch>>;
} = {
  prompts: {
    'prompts to train on, and enough held-out ones': missingPrompts,
    'no problem is both trained on and held out': sharedProblems,
    'domains that stages name have prompts': unknownDomains,
    'selection rules can keep a sample by its length': unreachableLengths,
    'decontamination leaves prompts to sample for': contaminatedSamples,
  },
  models: {
    'a chat template': missingTemplate,
    'tokens for the template and the tags of answers': unknownTokens,
    'positions for each prompt and its completion': longPrompts,
    'positions for the sequences of supervised stages': longSequences,
  },
  data: {
    'no example is a held-out problem': heldOutExamples,
    'tokens for every response of an example': unknownCharacters,
    'examples within max_length': longExamples,
    'preferences within max_length': longPreferences,
  },
};

/** Resolves what a recipe names and checks it. Throws before anything is written. */
export async function checkLaunch(
  { recipe, folder, at = () => '' }: RecipeFile,
  { database, objects }: Pick<Connections, 'database' | 'objects'>,
): Promise<ResolvedLaunch> {
  const sources = { recipe, folder, at, database, objects };

  const withPrompts = await resolvePrompts(sources);
  runChecks(CHECKS.prompts, withPrompts);

  const withModels = { ...withPrompts, models: await resolveModels(sources) };
  runChecks(CHECKS.models, withModels);

  const checked = { ...withModels, data: await resolveData(sources) };
  runChecks(CHECKS.data, checked);
  return checked;
}

/** Throws InputError with every problem of the first check that finds any. */
function runChecks<Resolved>(checks: Record<string, Check<Resolved>>, resolved: Resolved): void {
  for (const problemsOf of Object.values(checks)) {
    const problems = problemsOf(resolved);
    if (problems.length > 0) throw new InputError(problems.join('\n'));
  }
}

export interface Launched {
  run: string;
  workflowId: string;
  /** address in the Temporal UI; null where the UI is unknown */
  ui: string | null;
}

/** Imports a checked launch, commits its run and starts the workflow. */
export async function launch(
  checked: ResolvedLaunch,
  connections: Connections,
  name?: string,
): Promise<Launched> {
  const { recipe } = checked;
  // Connected before anything is written: a run without its workflow would only wait.
  const temporal = await connections.temporal();
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);

  const imported = await importNamed(checked, { database, objects });
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

/** The given name, or the recipe's with the next free number. */
async function runName(database: Database, recipe: Recipe, given: string | undefined): Promise<string> {
  // A name refers to one thing: commands that read a model take the name of either.
  const models = (await listModels(database)).map(({ name }) => name);
  if (given !== undefined) {
    if (!models.includes(given)) return checkName(given);
    throw new InputError(`--name ${given}: expected a name that no model has, found a model of this name`);
  }
  const taken = new Set([...models, ...(await listRuns(database)).map(({ run }) => run)]);
  for (let number = 1; ; number++) {
    const name = `${recipe.name}-${number}`;
    if (!taken.has(name)) return checkName(name);
  }
}

/** Refuses a name that cannot be part of workflow ids and object keys. */
export function checkName(name: string): string {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success) return name;
  throw new InputError(`--name ${name}: ${parsed.error.issues[0]?.message ?? 'not a name'}`);
}
