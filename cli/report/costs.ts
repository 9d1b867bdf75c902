/** What each stage took, and all together. */
import type { StageCost } from '../../stores/stage-costs.ts';
import { clock, count } from '../figures.ts';
import type { Table } from './policy-table.ts';

type Figure = Exclude<keyof StageCost, 'stage' | 'wallSeconds'>;

const seconds = {
  sampling: 'sampling',
  scoring: 'scoring',
  training: 'training',
  evaluating: 'evaluating',
  saving: 'saving',
  between: 'other',
} as const satisfies Record<string, Figure>;
const tokens = {
  'tokens sampled': 'tokensSampled',
  'for data': 'tokensForExamples',
  'to evaluate': 'tokensEvaluated',
  'tokens trained': 'tokensTrained',
} as const satisfies Record<string, Figure>;

export type CostColumn = keyof typeof seconds | keyof typeof tokens;
const ALL = [...Object.keys(seconds), ...Object.keys(tokens)] as CostColumn[];
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
  const sum = (figure: Figure) => costs.reduce((so, cost) => so + cost[figure], 0);
  return column in seconds
    ? clock(sum(seconds[column as keyof typeof seconds]))
    : count(sum(tokens[column as keyof typeof tokens]));
}
