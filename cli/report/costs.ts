/** What each stage took, and all together. */
import type { StageCost } from '../../stores/runs/stage-costs.ts';
import { clock, count } from '../output/figures.ts';
import type { Table } from './policy-table.ts';

interface Column {
  of: Exclude<keyof StageCost, 'stage' | 'wallSeconds'>;
  as(sum: number): string;
}

const COLUMNS = {
  sampling: { of: 'sampling', as: clock },
  scoring: { of: 'scoring', as: clock },
  training: { of: 'training', as: clock },
  evaluating: { of: 'evaluating', as: clock },
  saving: { of: 'saving', as: clock },
  between: { of: 'other', as: clock },
  'tokens sampled': { of: 'tokensSampled', as: count },
  'for data': { of: 'tokensForExamples', as: count },
  'to evaluate': { of: 'tokensEvaluated', as: count },
  'tokens trained': { of: 'tokensTrained', as: count },
} as const satisfies Record<string, Column>;

export type CostColumn = keyof typeof COLUMNS;
const ALL = Object.keys(COLUMNS) as CostColumn[];
/** What fits a terminal. */
export const MAIN_COSTS: readonly CostColumn[] = ALL.filter(
  (name) => !['between', 'for data', 'to evaluate'].includes(name),
);

export interface CostOptions {
  /** of the whole run: stages run side by side */
  wallSeconds?: number | null;
  /** stage → minutes that it may take; the column is left out where no stage has any */
  budgets?: ReadonlyMap<string, number>;
  columns?: readonly CostColumn[];
}

export function costTable(
  costs: readonly StageCost[],
  { wallSeconds = null, budgets = new Map(), columns = ALL }: CostOptions = {},
): Table {
  const budget = (minutes: number | undefined) =>
    budgets.size === 0 ? [] : [minutes === undefined ? '' : clock(60 * minutes)];
  const line = (name: string, wall: number | null, minutes: number | undefined, of: readonly StageCost[]) => [
    name,
    clock(wall),
    ...budget(minutes),
    ...columns.map((column) => cellOf(column, of)),
  ];
  const allMinutes = [...budgets.values()].reduce((so, minutes) => so + minutes, 0);
  return {
    head: ['stage', 'wall', ...(budgets.size === 0 ? [] : ['budget']), ...columns],
    rows: [
      ...costs.map((cost) => line(cost.stage, cost.wallSeconds, budgets.get(cost.stage), [cost])),
      line('all', wallSeconds, allMinutes, costs),
    ],
  };
}

function cellOf(column: CostColumn, costs: readonly StageCost[]): string {
  const { of, as } = COLUMNS[column];
  return as(costs.reduce((sum, cost) => sum + cost[of], 0));
}
