/** The curves of a stage, from its steps and evaluations. */
import type { AlarmName } from '../../contracts/alarms.ts';
import type { EvaluationDocument, StepDocument } from '../../contracts/documents.ts';
import type { ReportData } from './report-data.ts';

interface Point {
  step: number;
  value: number;
}
interface Series {
  name: string;
  points: Point[];
}
/** One chart: lines by step, held-out measurements as dots with intervals, and alarms. */
export interface Curve {
  title: string;
  unit: 'share' | 'number';
  lines: Series[];
  dots: (Point & { interval?: [number, number]; quick: boolean })[];
  /** steps of alarms about this metric */
  alarms: number[];
}

/** Most points of a line: with more, neighbours are averaged. */
const MOST_POINTS = 240;

type Stage = ReportData['show']['stages'][number];

interface Drawn {
  title: string;
  unit: Curve['unit'];
  /** algorithms of the stages that have it */
  of: readonly Stage['algorithm'][];
  lines?: (steps: readonly StepDocument[]) => Series[];
  /** value of an evaluation; null where it was not measured */
  dot?: (evaluation: EvaluationDocument) => number | null;
  interval?: (evaluation: EvaluationDocument) => [number, number];
}

const line =
  (name: string, of: (step: StepDocument) => number | null) =>
  (steps: readonly StepDocument[]): Series[] => [series(name, steps, of)];

/** All curves, in the order of the page. */
const CURVES: Drawn[] = [
  { title: 'Reward', unit: 'number', of: ['grpo'], lines: rewardLines },
  {
    title: 'Accuracy',
    unit: 'share',
    of: ['grpo', 'sft'],
    lines: line('in training', ({ accuracy }) => accuracy),
    dot: ({ passAt1 }) => passAt1,
    interval: ({ passAt1Interval }) => passAt1Interval,
  },
  {
    title: 'Pairs ranked correctly',
    unit: 'share',
    of: ['reward-model'],
    lines: line('in training', ({ accuracy }) => accuracy),
  },
  {
    title: 'Length, tokens',
    unit: 'number',
    of: ['grpo'],
    lines: line('in training', ({ meanLength }) => meanLength),
    dot: ({ meanLength }) => meanLength,
  },
  { title: 'Reflects', unit: 'share', of: ['grpo'], dot: ({ reflectionRate }) => reflectionRate },
  {
    title: 'In the target language',
    unit: 'share',
    of: ['grpo', 'sft'],
    lines: line('in training', ({ rewards }) => rewards?.language ?? null),
    dot: ({ languageConsistency }) => languageConsistency,
  },
  {
    title: 'General ability',
    unit: 'share',
    of: ['grpo', 'sft'],
    dot: ({ generalAbility }) => generalAbility,
  },
  {
    title: 'KL to the reference, nats per token',
    unit: 'number',
    of: ['grpo'],
    lines: line('KL', ({ kl }) => kl),
  },
  {
    title: 'Entropy, nats per token',
    unit: 'number',
    of: ['grpo', 'sft'],
    lines: line('entropy', ({ entropy }) => entropy),
  },
  { title: 'Loss', unit: 'number', of: ['sft', 'reward-model'], lines: line('loss', ({ loss }) => loss) },
];

/** The curve that shows an alarm; null: none. */
const SEEN_ON: Record<AlarmName, string | null> = {
  'reward-hacking': 'Accuracy',
  'empty-thinking': 'Length, tokens',
  'length-at-limit': 'Length, tokens',
  'entropy-collapse': 'Entropy, nats per token',
  'kl-too-large': 'KL to the reference, nats per token',
  'no-variance': 'Reward',
  'verifier-errors': 'Reward',
  'language-mixing': 'In the target language',
};

/** Fewer dots without lines are not drawn: the table has the values before and after. */
const FEWEST_DOTS = 3;

/** The non-empty curves of a stage. */
export function curvesOf(
  { steps: all, evaluations, show }: Pick<ReportData, 'steps' | 'evaluations' | 'show'>,
  name: string,
): Curve[] {
  const stage = show.stages.find((found) => found.stage === name);
  if (stage === undefined) return [];
  const steps = all.filter((step) => step.stage === name);
  const measured = measuredOf(evaluations, name, stage.origin);
  return CURVES.filter(({ of }) => of.includes(stage.algorithm))
    .map((drawn) => curveOf(drawn, steps, measured))
    .filter(({ lines, dots }) => lines.length > 0 || dots.length >= FEWEST_DOTS)
    .map((curve) => ({ ...curve, dots: [...curve.dots, ...rankedOf(stage, curve)] }))
    .map((curve) => ({ ...curve, alarms: alarmsOn(show.alarms, name, curve.title) }));
}

/** The ranking accuracy of a reward model, at its last step. */
function rankedOf({ measure, step }: Stage, { title }: Pick<Curve, 'title'>): Curve['dots'] {
  if (measure === null || title !== 'Pairs ranked correctly') return [];
  return [{ step, value: measure.accuracy, quick: false }];
}

const alarmsOn = (alarms: ReportData['show']['alarms'], name: string, title: string) =>
  alarms.filter((alarm) => alarm.stage === name && SEEN_ON[alarm.name] === title).map(({ step }) => step);

/** The last evaluation of what a stage starts from, then its own. */
function measuredOf(evaluations: ReportData['evaluations'], stage: string, origin: string | null) {
  const own = evaluations.filter((found) => found.stage === stage);
  const before = evaluations.findLast((found) => found.stage === origin && !found.quick);
  if (own.length === 0 || before === undefined) return own;
  return [{ ...before, step: 0 }, ...own];
}

function curveOf(
  { title, unit, lines, dot, interval }: Drawn,
  steps: readonly StepDocument[],
  measured: ReportData['evaluations'],
): Omit<Curve, 'alarms'> {
  const dots = measured.flatMap((found) => {
    const value = dot?.(found) ?? null;
    return value === null
      ? []
      : [{ step: found.step, value, interval: interval?.(found), quick: found.quick }];
  });
  return { title, unit, lines: (lines?.(steps) ?? []).filter(({ points }) => points.length > 0), dots };
}

function rewardLines(steps: readonly StepDocument[]): Series[] {
  const names = [...new Set(steps.flatMap(({ rewards }) => Object.keys(rewards ?? {})))];
  const separate = names.map((name) => series(name, steps, ({ rewards }) => rewards?.[name] ?? null));
  return [series('sum', steps, ({ reward }) => reward), ...separate];
}

function series(
  name: string,
  steps: readonly StepDocument[],
  of: (step: StepDocument) => number | null,
): Series {
  const points = steps.flatMap((step) => {
    const value = of(step);
    return value === null ? [] : [{ step: step.step, value }];
  });
  return { name, points: thinned(points) };
}

/** Averages neighbours, so that long stages stay readable. */
export function thinned(points: readonly Point[], most = MOST_POINTS): Point[] {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, n) =>
    meanOf(points.slice(n * size, (n + 1) * size)),
  );
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce((so, { step, value }) => ({ step: so.step + step, value: so.value + value }));
  return { step: sum.step / points.length, value: sum.value / points.length };
}
