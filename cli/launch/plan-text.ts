/** What a launch prints about a recipe: its plan, and notes. */

import type { ImportedPrompts } from '../../algorithm/data/prompt-rows.ts';
import { originOf, type Recipe } from '../../contracts/recipe.ts';
import { clock } from '../output/figures.ts';
import { tableText } from '../output/output.ts';

/** Stage → its budget in minutes; stages without a budget are left out. */
export const budgetsOf = ({ stages }: Pick<Recipe, 'stages'>): Map<string, number> =>
  new Map(
    stages.flatMap(({ stage, budget_minutes: minutes }) =>
      minutes === undefined ? [] : [[stage, minutes] as const],
    ),
  );

const ALGORITHMS: Record<Recipe['stages'][number]['algorithm'], string> = {
  grpo: 'GRPO',
  sft: 'SFT',
  'reward-model': 'reward model',
};

/** One row per stage, and one for all. */
export function planText(recipe: Pick<Recipe, 'stages'>): string {
  const budgets = budgetsOf(recipe);
  const time = (minutes: number | undefined) =>
    budgets.size === 0 ? [] : [minutes === undefined ? '–' : clock(60 * minutes)];
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
  const rows = recipe.stages.map((stage) => [
    stage.stage,
    ALGORITHMS[stage.algorithm],
    originOf(stage),
    String(stage.options.max_steps),
    ...time(budgets.get(stage.stage)),
  ]);
  const steps = String(sum(recipe.stages.map(({ options }) => options.max_steps)));
  const head = ['stage', 'trained by', 'from', 'steps', ...(budgets.size === 0 ? [] : ['budget'])];
  return tableText(head, [...rows, ['all', '', '', steps, ...time(sum(budgets.values()))]], { gap: 2 });
}

export function notesOnRecipe({ stages }: Recipe): string[] {
  return stages.flatMap(({ stage, algorithm, options }) =>
    algorithm === 'grpo' ? notesOnClipping(options).map((note) => `${stage}: ${note}`) : [],
  );
}

/** Ratios are positive: with epsilon of 1 or more the lower bound, 1 − epsilon, clips none. */
export function notesOnClipping({ epsilon }: { epsilon: number }): string[] {
  if (epsilon < 1) return [];
  return [
    `epsilon ${epsilon}: no ratio is clipped from below, as 1 − epsilon is ${1 - epsilon} and ratios are positive. The paper uses 10 ` +
      'after the cold start.',
  ];
}

/** Generating this many prompts takes more than a second. */
const MANY = 10_000;

/** Prompts whose generation takes time, announced before it begins. */
export function generationNotes({
  prompts,
  general_prompts,
}: Pick<Recipe, 'prompts' | 'general_prompts'>): string[] {
  return [prompts, ...(general_prompts === undefined ? [] : [general_prompts])].flatMap((source) => {
    const rows = 'train' in source ? source.train + source.test : 0;
    return rows < MANY ? [] : [`Generating ${rows} prompts (${source.source}) …`];
  });
}

/** Prompt rows and fields that were ignored, though not wrong. */
export function notesOnPrompts({
  duplicates,
  ignoredFields,
}: Pick<ImportedPrompts, 'duplicates' | 'ignoredFields'>): string[] {
  return [
    ...(duplicates > 0 ? [`Prompts: ${duplicates} rows repeat an earlier one and were ignored.`] : []),
    ...(ignoredFields.length > 0 ? [`Prompts: unused fields: ${ignoredFields.join(', ')}.`] : []),
  ];
}
