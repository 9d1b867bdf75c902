/** What each stage took, and all together. */
import type { StageCost } from '../../stores/stage-costs.ts';
import { clock, count } from '../figures.ts';
import type { Table } from './policy-table.ts';

const SECONDS = ['sampling', 'scoring', 'training', 'other'] as const;
const TOKENS = ['tokensSampled', 'tokensForExamples', 'tokensTrained'] as const;

export interface CostOptions {
  /** of the whole run: stages run side by side */
  wallSeconds?: number | null;
  /** stage → minutes that it may take; the column is left out where no stage has any */
  budgets?: ReadonlyMap<string, number>;
}

export function costTable(
  costs: readonly StageCost[],
  { wallSeconds = null, budgets = new Map() }: CostOptions = {},
): Table {
  const sum = (name: (typeof SECONDS | typeof TOKENS)[number]) =>
    costs.reduce((so, cost) => so + cost[name], 0);
  const budget = (minutes: number | undefined) =>
    budgets.size === 0 ? [] : [minutes === undefined ? '' : clock(60 * minutes)];
  const rows = costs.map((cost) => [
    cost.stage,
    clock(cost.wallSeconds),
    ...budget(budgets.get(cost.stage)),
    ...SECONDS.map((name) => clock(cost[name])),
    ...TOKENS.map((name) => count(cost[name])),
  ]);
  const all = [
    'all',
    clock(wallSeconds),
    ...budget([...budgets.values()].reduce((so, minutes) => so + minutes, 0)),
    ...SECONDS.map((name) => clock(sum(name))),
    ...TOKENS.map((name) => count(sum(name))),
  ];
  return { head: headOf(budgets.size > 0), rows: [...rows, all] };
}

const headOf = (hasBudgets: boolean) => [
  'stage',
  'wall',
  ...(hasBudgets ? ['budget'] : []),
  'sampling',
  'scoring',
  'training',
  'between',
  'tokens sampled',
  'for data',
  'tokens trained',
];
