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
import type { PromptSet } from '../../stores/data/prompts.ts';

/** What a recipe names, as it lies in the stores once it is imported. */
export interface ImportedLaunch {
  base: CommittedCheckpoint;
  /** by name */
  students: Record<string, CommittedCheckpoint>;
  prompts: PromptSet;
  generalDomains: string[];
  /** stage → digests of its imported examples, in the recipe's order */
  examples: Record<string, string[]>;
  /** stage → digest of its preferences */
  preferences: Record<string, string>;
}

/** What every activity of the run reads: the recipe, resolved. */
export function runPlan(recipe: Recipe, imported: ImportedLaunch): RunPlan {
  return {
    seed: String(recipe.seed),
    promptSet: imported.prompts.digest,
    trainPrompts: imported.prompts.train,
    promptFormat: recipe.prompt_format,
    textRules: 2,
    generalDomains: imported.generalDomains,
    stages: recipe.stages.map((stage) => stagePlan(stage, recipe, imported)),
  };
}

function stagePlan(stage: StageRecipe, recipe: Recipe, imported: ImportedLaunch): StagePlan {
  const common = {
    stage: stage.stage,
    evaluation: recipe.evaluation,
    origin: resolved(originOf(stage), imported),
    needs: stagesNeeded(stage),
    alarms: alarmRules(stage.algorithm, recipe.alarms, stage.alarms),
  };
  if (stage.algorithm === 'sft') return { ...common, ...supervised(stage, imported) };
  if (stage.algorithm === 'reward-model') return { ...common, ...rewardModel(stage, imported) };
  return { ...common, algorithm: 'grpo', options: stage.options };
}

function resolved(origin: string, { base, students }: ImportedLaunch): StageOrigin {
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

/** The paper's: helpfulness from pairs, safety from labels of single responses. */
export const objectiveOf = (stage: string) =>
  stage === 'reward-model/safety' ? ('pointwise' as const) : ('pairwise' as const);
