/** What a launch is about to do: a row a stage, with the minutes it is given. */
import { originOf, type Recipe } from '../../contracts/recipe.ts';
import { clock } from '../output/figures.ts';
import { tableText } from '../output/output.ts';

/** Stage → minutes that it is given; stages without a budget are not in it. */
export const budgetsOf = ({ stages }: Pick<Recipe, 'stages'>): Map<string, number> =>
  new Map(
    stages.flatMap(({ stage, budget_minutes: minutes }) =>
      minutes === undefined ? [] : [[stage, minutes] as const],
    ),
  );

const kinds: Record<Recipe['stages'][number]['algorithm'], string> = {
  grpo: 'GRPO',
  sft: 'SFT',
  'reward-model': 'reward model',
};

export function planText(recipe: Pick<Recipe, 'stages'>): string {
  const budgets = budgetsOf(recipe);
  const time = (minutes: number | undefined) =>
    budgets.size === 0 ? [] : [minutes === undefined ? '–' : clock(60 * minutes)];
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((so, number) => so + number, 0);
  const rows = recipe.stages.map((stage) => [
    stage.stage,
    kinds[stage.algorithm],
    originOf(stage),
    String(stage.options.max_steps),
    ...time(budgets.get(stage.stage)),
  ]);
  const steps = String(sum(recipe.stages.map(({ options }) => options.max_steps)));
  const head = ['stage', 'trains by', 'from', 'steps', ...(budgets.size === 0 ? [] : ['budget'])];
  return tableText(head, [...rows, ['all', '', '', steps, ...time(sum(budgets.values()))]], { gap: 2 });
}
