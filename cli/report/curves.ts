/** What a stage's steps and evaluations draw, curve by curve. */
import type { AlarmName } from '../../contracts/alarms.ts';
import type { EvaluationDocument, StepDocument } from '../../contracts/documents.ts';
import type { ReportData } from './report-data.ts';

export interface Point {
  step: number;
  value: number;
}
interface Series {
  name: string;
  points: Point[];
}
/** One drawing: lines by step, held-out measurements as dots, with their interval where there is one, and alarms. */
export interface Curve {
  title: string;
  unit: 'share' | 'number';
  lines: Series[];
  dots: (Point & { interval?: [number, number]; quick: boolean })[];
  /** steps at which an alarm was raised over what is drawn */
  alarms: number[];
}

/** Points of a line at most: beyond it neighbours are averaged. */
const MOST_POINTS = 240;

type Stage = ReportData['show']['stages'][number];

interface Drawn {
  title: string;
  unit: Curve['unit'];
  /** of which stages it tells something */
  of: readonly Stage['algorithm'][];
  lines?: (steps: readonly StepDocument[]) => Series[];
  /** what is drawn of an evaluation; null where it was not measured */
  dot?: (evaluation: EvaluationDocument) => number | null;
  interval?: (evaluation: EvaluationDocument) => [number, number];
}

const line =
  (name: string, of: (step: StepDocument) => number | null) =>
  (steps: readonly StepDocument[]): Series[] => [series(name, steps, of)];

/** Every curve that a stage may have, in the order in which they are shown. */
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
    title: 'Pairs ranked rightly',
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
    title: 'KL to the reference, nats a token',
    unit: 'number',
    of: ['grpo'],
    lines: line('KL', ({ kl }) => kl),
  },
  {
    title: 'Entropy, nats a token',
    unit: 'number',
    of: ['grpo', 'sft'],
    lines: line('entropy', ({ entropy }) => entropy),
  },
  { title: 'Loss', unit: 'number', of: ['sft', 'reward-model'], lines: line('loss', ({ loss }) => loss) },
];

/** On which curve an alarm is seen; null: on none. */
const SEEN_ON: Record<AlarmName, string | null> = {
  'reward-hacking': 'Accuracy',
  'empty-thinking': 'Length, tokens',
  'length-at-limit': 'Length, tokens',
  'entropy-collapse': 'Entropy, nats a token',
  'kl-too-large': 'KL to the reference, nats a token',
  'no-variance': 'Reward',
  'verifier-errors': 'Reward',
  'language-mixing': 'In the target language',
};

/** Before and after are told by the table: dots alone are drawn where there are more. */
const FEWEST_DOTS = 3;

/** The curves of one stage that have anything to show. */
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

/** What a reward model was measured at, on its last step. */
function rankedOf({ measure, step }: Stage, { title }: Pick<Curve, 'title'>): Curve['dots'] {
  if (measure === null || title !== 'Pairs ranked rightly') return [];
  return [{ step, value: measure.accuracy, quick: false }];
}

const alarmsOn = (alarms: ReportData['show']['alarms'], name: string, title: string) =>
  alarms.filter((alarm) => alarm.stage === name && SEEN_ON[alarm.name] === title).map(({ step }) => step);

/** A stage's own evaluations after its origin's last, which is what it starts from. */
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
  const apart = names.map((name) => series(name, steps, ({ rewards }) => rewards?.[name] ?? null));
  return [series('sum', steps, ({ reward }) => reward), ...apart];
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

/** Means of neighbours, so that however long a stage is its line stays a line. */
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
