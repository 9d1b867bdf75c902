/** Main results, costs and sample counts of a run. */

import { rejectionReasons } from '../../contracts/datasets.ts';
import type { StageCost } from '../../stores/runs/stage-costs.ts';
import { clock, count, percent } from '../output/figures.ts';
import type { Bar } from './chart.ts';
import { policiesOf, type Table } from './policies.ts';
import type { ReportData, StageFunnel } from './report-data.ts';

/** `pass@1 14.5 % → 99.3 % (R1)`, steps and time, tokens, alarms. */
export function factsOf(data: ReportData): string[] {
  const { show, costs } = data;
  const steps = show.stages.reduce((sum, { step }) => sum + step, 0);
  const seconds = wallSecondsOf(data);
  const tokens = (of: 'tokensSampled' | 'tokensTrained') =>
    count(costs.reduce((sum, cost) => sum + cost[of], 0));
  return [
    ...riseOf(data),
    seconds === null ? `${steps} steps` : `${steps} steps in ${clock(seconds)}`,
    `${tokens('tokensSampled')} tokens sampled, ${tokens('tokensTrained')} trained`,
    ...(show.alarms.length === 0
      ? []
      : [show.alarms.length === 1 ? '1 alarm' : `${show.alarms.length} alarms`]),
  ];
}

/** From launch to end; null for an unfinished run. */
export function wallSecondsOf({ show: { startedAt, finishedAt } }: Pick<ReportData, 'show'>): number | null {
  return finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000;
}

/** pass@1 of the base and of the last policy that leads to R1. */
function riseOf(data: ReportData): string[] {
  const measured = policiesOf(data).filter(({ toR1, evaluation }) => toR1 && evaluation !== null);
  const [first, last] = [measured[0], measured.at(-1)];
  if (first?.evaluation == null || last?.evaluation == null || first === last) return [];
  return [
    `pass@1 ${percent(first.evaluation.passAt1)} → ${percent(last.evaluation.passAt1)} (${last.title})`,
  ];
}

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

type CostColumn = keyof typeof COLUMNS;
const ALL = Object.keys(COLUMNS) as CostColumn[];
/** Columns that fit a terminal. */
export const MAIN_COSTS: readonly CostColumn[] = ALL.filter(
  (name) => !['between', 'for data', 'to evaluate'].includes(name),
);

interface CostOptions {
  /** of the run, as stages run side by side */
  wallSeconds?: number | null;
  /** stage → budget in minutes; no column where no stage has one */
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

/** Reasons that come before the check for correctness. */
const BEFORE_CORRECT: ReadonlySet<string> = new Set(['error', 'incorrect']);

/** `sampled`, `correct`, a bar for each rule, `kept`, and joined rows. */
export function funnelBars({ counts, rows }: StageFunnel): Bar[] {
  const bars: Bar[] = [
    { name: 'sampled', value: counts.sampled, kind: 'left' },
    { name: 'correct', value: counts.correct, kind: 'left' },
  ];
  for (const reason of rejectionReasons) {
    const refused = counts.rejected[reason] ?? 0;
    if (refused > 0 && !BEFORE_CORRECT.has(reason))
      bars.push({ name: `refused: ${reason}`, value: refused, kind: 'refused' });
  }
  bars.push({ name: 'kept', value: counts.kept, kind: 'left' });
  const joined = (rows ?? counts.kept) - counts.kept;
  if (joined > 0) bars.push({ name: 'joined from elsewhere', value: joined, kind: 'joined' });
  return bars;
}
