/** Imports what a checked launch names, and makes the run's plan of it. */
import { importBase } from '../../activities/checkpoints/import-base.ts';
import type { Stores } from '../../activities/dependencies.ts';
import { alarmRules } from '../../algorithm/run/alarms.ts';
import type { RunPlan, StageOrigin, StagePlan } from '../../contracts/plan.ts';
import {
  originOf,
  type Recipe,
  type RewardModelStageRecipe,
  type StageRecipe,
  type SupervisedStageRecipe,
  stagesNeeded,
} from '../../contracts/recipe.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import { createExampleSet } from '../../stores/data/example-sets.ts';
import { importPreferences } from '../../stores/data/preferences.ts';
import { importPromptSet, type PromptSet } from '../../stores/data/prompts.ts';
import { type LaunchData, objectiveOf, type ResolvedLaunch } from './resolve.ts';

/** What a recipe names, as the stores hold it. */
interface ImportedLaunch extends ImportedData {
  base: CommittedCheckpoint;
  /** by name */
  students: Record<string, CommittedCheckpoint>;
  prompts: PromptSet;
  generalDomains: string[];
}

interface ImportedData {
  /** stage → digests of its examples, in the recipe's order */
  examples: Record<string, string[]>;
  /** stage → digest of its preferences */
  preferences: Record<string, string>;
}

/** Writes everything that is not in the stores yet. */
export async function importNamed(
  { recipe, models, prompts, generalDomains, data }: ResolvedLaunch,
  stores: Stores,
): Promise<ImportedLaunch> {
  const students: ImportedLaunch['students'] = {};
  for (const [name, student] of Object.entries(models.students))
    students[name] = await importBase(stores, student);
  return {
    base: await importBase(stores, models.base),
    students,
    prompts: await importPromptSet(stores.database, { name: recipe.name, prompts: prompts.prompts }),
    generalDomains,
    ...(await importData(recipe, data, stores)),
  };
}

async function importData(
  { name, stages }: Recipe,
  data: LaunchData,
  { database, objects }: Stores,
): Promise<ImportedData> {
  const imported: ImportedData = { examples: {}, preferences: {} };
  for (const { stage } of stages) {
    const setName = (kind: string) => `${name}-${stage.replace('/', '-')}-${kind}`;
    const digests: string[] = [];
    for (const [index, rows] of (data.examples[stage] ?? []).entries()) {
      const set = { name: setName(`examples-${index + 1}`), rows };
      digests.push((await createExampleSet(database, objects, set)).digest);
    }
    imported.examples[stage] = digests;
    const rows = data.preferences[stage];
    if (rows === undefined) continue;
    const { digest } = await importPreferences(database, { name: setName('preferences'), rows });
    imported.preferences[stage] = digest;
  }
  return imported;
}

/** The recipe, resolved: what every activity of the run reads. */
export function runPlan(recipe: Recipe, imported: ImportedLaunch): RunPlan {
  return {
    seed: String(recipe.seed),
    promptSet: imported.prompts.digest,
    trainPrompts: imported.prompts.train,
    promptFormat: recipe.prompt_format,
    textRules: 3,
    generalDomains: imported.generalDomains,
    stages: recipe.stages.map((stage) => stagePlan(stage, recipe, imported)),
  };
}

function stagePlan(stage: StageRecipe, recipe: Recipe, imported: ImportedLaunch): StagePlan {
  const common = {
    stage: stage.stage,
    evaluation: recipe.evaluation,
    origin: resolvedOrigin(originOf(stage), imported),
    needs: stagesNeeded(stage),
    alarms: alarmRules(stage.algorithm, recipe.alarms, stage.alarms),
  };
  if (stage.algorithm === 'sft') return { ...common, ...supervised(stage, imported) };
  if (stage.algorithm === 'reward-model') return { ...common, ...rewardModel(stage, imported) };
  return { ...common, algorithm: 'grpo', options: stage.options };
}

function resolvedOrigin(origin: string, { base, students }: ImportedLaunch): StageOrigin {
  if (origin === 'base') return { kind: 'model', name: origin, checkpoint: base };
  const student = students[origin.slice('student/'.length)];
  return origin.startsWith('student/') && student !== undefined
    ? { kind: 'model', name: origin, checkpoint: student }
    : { kind: 'stage', stage: origin };
}

function supervised({ stage, options, data, keep }: SupervisedStageRecipe, { examples }: ImportedLaunch) {
  return {
    algorithm: 'sft' as const,
    options,
    data: {
      sampled: data.flatMap((source) => (source.source === 'sampled' ? [source] : [])),
      keep,
      examples: examples[stage] ?? [],
      stages: data.flatMap((source) => (source.source === 'stage' ? [source.stage] : [])),
    },
  };
}

function rewardModel({ stage, options }: RewardModelStageRecipe, { preferences }: ImportedLaunch) {
  return {
    algorithm: 'reward-model' as const,
    options,
    objective: objectiveOf(stage),
    preferences: preferences[stage] ?? '',
  };
}
