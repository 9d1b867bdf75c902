/** What each stage took, and all together. */
import type { StageCost } from '../../stores/stage-costs.ts';
import { count, duration } from '../figures.ts';
import type { Table } from './policy-table.ts';

const SECONDS = ['sampling', 'scoring', 'training', 'other'] as const;
const TOKENS = ['tokensSampled', 'tokensForExamples', 'tokensTrained'] as const;

export function costTable(costs: readonly StageCost[]): Table {
  const head = ['stage', 'wall', 'sampling', 'scoring', 'training', 'between'];
  const sum = (name: (typeof SECONDS | typeof TOKENS)[number]) =>
    costs.reduce((so, cost) => so + cost[name], 0);
  const rows = costs.map((cost) => [
    cost.stage,
    cost.wallSeconds === null ? '' : duration(cost.wallSeconds),
    ...SECONDS.map((name) => duration(cost[name])),
    ...TOKENS.map((name) => count(cost[name])),
  ]);
  const all = [
    'all',
    '',
    ...SECONDS.map((name) => duration(sum(name))),
    ...TOKENS.map((name) => count(sum(name))),
  ];
  return { head: [...head, 'tokens sampled', 'for examples', 'tokens trained'], rows: [...rows, all] };
}
