/** What came of a run, in a line. */
import { clock, count, percent } from '../output/figures.ts';
import { policiesOf } from './policies.ts';
import type { ReportData } from './report-data.ts';

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

/** From launch to end; null while it goes on. */
export function wallSecondsOf({ show: { startedAt, finishedAt } }: Pick<ReportData, 'show'>): number | null {
  return finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000;
}

/** From the base to the last of the policies that lead to R1. */
function riseOf(data: ReportData): string[] {
  const measured = policiesOf(data).filter(({ toR1, evaluation }) => toR1 && evaluation !== null);
  const [first, last] = [measured[0], measured.at(-1)];
  if (first?.evaluation == null || last?.evaluation == null || first === last) return [];
  return [
    `pass@1 ${percent(first.evaluation.passAt1)} → ${percent(last.evaluation.passAt1)} (${last.title})`,
  ];
}
