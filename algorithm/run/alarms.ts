/**
 * What each alarm measures over the last steps or evaluations of a stage, and when it is raised: once, at the row where
 * its measure crosses the threshold. Pure: the same rows raise the same alarms.
 */
import { type AlarmName, type AlarmRecipe, type AlarmRule, alarmNames } from '../../contracts/alarms.ts';
import { mean } from '../rl/sample-statistics.ts';

/** The numbers of a recorded step that alarms read. */
export interface WatchedStep {
  kl: number | null;
  entropy: number | null;
  zeroVarianceShare: number | null;
  truncatedShare: number | null;
  emptyThinkingShare: number | null;
  errorShare: number | null;
}

/** The numbers of an evaluation of the stage's own policy that alarms read. */
export interface WatchedEvaluation {
  passAt1: number;
  languageConsistency: number | null;
  /** mean over the last steps before it; null where none has a reward */
  reward: number | null;
}

export type WatchedKind = 'steps' | 'evaluations';

interface Measure<Row> {
  /** the side of the threshold on which it is raised */
  side: 'above' | 'below';
  defaults: Omit<AlarmRule, 'name'>;
  /** Over the last `window` rows; null where there is no value. */
  value(rows: readonly Row[]): number | null;
  /** what the value is */
  what: string;
}

/** The mean over the rows; null where one of them has no value. */
const meanOf =
  <Row>(of: (row: Row) => number | null) =>
  (rows: readonly Row[]): number | null => {
    const values = rows.map(of).filter((value) => value !== null);
    return values.length < rows.length || rows.length === 0 ? null : mean(values);
  };

/** Alarms that are checked after each evaluation. */
const ofEvaluations: Record<'reward-hacking' | 'language-mixing', Measure<WatchedEvaluation>> = {
  'reward-hacking': {
    side: 'above',
    defaults: { threshold: 0.1, window: 3, action: 'note' },
    value: fallUnderRisingReward,
    what: 'fall of held-out pass@1 while the reward rose',
  },
  'language-mixing': {
    side: 'below',
    defaults: { threshold: 0.8, window: 1, action: 'note' },
    value: meanOf(({ languageConsistency }) => languageConsistency),
    what: 'held-out share of words in the target language',
  },
};

/** Alarms that are checked after each step. */
const ofSteps: Record<Exclude<AlarmName, keyof typeof ofEvaluations>, Measure<WatchedStep>> = {
  'empty-thinking': {
    side: 'above',
    defaults: { threshold: 0.95, window: 5, action: 'note' },
    value: meanOf(({ emptyThinkingShare }) => emptyThinkingShare),
    what: 'share of well-formed responses that think nothing or repeat themselves',
  },
  'length-at-limit': {
    side: 'above',
    defaults: { threshold: 0.25, window: 5, action: 'note' },
    value: meanOf(({ truncatedShare }) => truncatedShare),
    what: 'share of completions cut by the length limit',
  },
  'entropy-collapse': {
    side: 'below',
    defaults: { threshold: 0.005, window: 10, action: 'note' },
    value: meanOf(({ entropy }) => entropy),
    what: 'entropy, nats per token',
  },
  'kl-too-large': {
    side: 'above',
    defaults: { threshold: 1, window: 5, action: 'note' },
    value: meanOf(({ kl }) => kl),
    what: 'KL to the reference, nats per token',
  },
  'no-variance': {
    side: 'above',
    defaults: { threshold: 0.98, window: 10, action: 'note' },
    value: meanOf(({ zeroVarianceShare }) => zeroVarianceShare),
    what: 'share of groups whose rewards are all equal',
  },
  'verifier-errors': {
    side: 'above',
    defaults: { threshold: 0.05, window: 3, action: 'note' },
    value: meanOf(({ errorShare }) => errorShare),
    what: 'share of completions that a reward answered with an error',
  },
};

const measures: Record<AlarmName, Measure<never>> = { ...ofEvaluations, ...ofSteps };

/**
 * Reward hacking (the paper observes it with preference rewards): by how much pass@1 has fallen since the window's best
 * evaluation, if the reward has risen since; else 0.
 */
function fallUnderRisingReward(rows: readonly WatchedEvaluation[]): number | null {
  const last = rows.at(-1);
  const [best] = rows.slice(0, -1).sort((a, b) => b.passAt1 - a.passAt1);
  if (last === undefined || best === undefined || last.reward === null || best.reward === null) return null;
  return last.reward > best.reward ? best.passAt1 - last.passAt1 : 0;
}

/** The alarms of a stage: the defaults where it trains by reinforcement, then the run's settings, then its own. */
export function alarmRules(
  algorithm: 'grpo' | 'sft' | 'reward-model',
  ...settings: (readonly AlarmRecipe[])[]
): AlarmRule[] {
  return alarmNames.flatMap((name) => {
    const [ofRun, own] = settings.map((list) => list.find((alarm) => alarm.name === name));
    if (algorithm !== 'grpo' && own === undefined) return [];
    const { action, ...rule } = { ...measures[name].defaults, ...ofRun, ...own, name };
    return action === undefined || action === 'off' ? [] : [{ ...rule, action }];
  });
}

/** An alarm that the last row raises. */
export interface Crossing {
  rule: AlarmRule;
  value: number;
  text: string;
}

/** Whether an alarm is checked after steps or after evaluations. */
export const watchedAfter = (name: AlarmName): WatchedKind => (name in ofSteps ? 'steps' : 'evaluations');

/** Rows that these rules need: one more than the largest window. */
export const rowsWatched = (kind: WatchedKind, rules: readonly AlarmRule[]) =>
  Math.max(0, ...rules.filter(({ name }) => watchedAfter(name) === kind).map(({ window }) => window + 1));

/** The alarms that the newest step raises. `rows`: the last steps, oldest first. */
export const raisedByStep = (rows: readonly WatchedStep[], rules: readonly AlarmRule[]) =>
  crossings(ofSteps, 'steps', rows, rules);

/** The alarms that the newest evaluation raises. `rows`: the last evaluations, oldest first. */
export const raisedByEvaluation = (rows: readonly WatchedEvaluation[], rules: readonly AlarmRule[]) =>
  crossings(ofEvaluations, 'evaluations', rows, rules);

function crossings<Row>(
  table: Partial<Record<AlarmName, Measure<Row>>>,
  kind: WatchedKind,
  rows: readonly Row[],
  rules: readonly AlarmRule[],
): Crossing[] {
  return rules.flatMap((rule) => {
    const measure = table[rule.name];
    if (measure === undefined) return [];
    const value = measured(measure, rows, rule);
    const before = measured(measure, rows.slice(0, -1), rule);
    if (!isCrossed(measure, value, rule) || isCrossed(measure, before, rule)) return [];
    return [{ rule, value, text: textOf(measure, kind, value, rule) }];
  });
}

function measured<Row>({ value }: Measure<Row>, rows: readonly Row[], { window }: AlarmRule): number | null {
  return rows.length < window ? null : value(rows.slice(-window));
}

const isCrossed = (
  { side }: Pick<Measure<never>, 'side'>,
  value: number | null,
  { threshold }: AlarmRule,
): value is number => value !== null && (side === 'above' ? value >= threshold : value <= threshold);

function textOf(
  { side, what }: Pick<Measure<never>, 'side' | 'what'>,
  kind: WatchedKind,
  value: number,
  { window, threshold }: AlarmRule,
): string {
  const over = window === 1 ? `in the last of its ${kind}` : `over its last ${window} ${kind}`;
  const bound = side === 'above' ? '≥' : '≤';
  return `${what}: ${Number(value.toPrecision(3))} ${over} (raised at ${bound} ${threshold})`;
}

/** `alarm reward-hacking: …`, for reasons and lists. */
export const alarmText = ({ name, text }: { name: AlarmName; text: string }) => `alarm ${name}: ${text}`;
