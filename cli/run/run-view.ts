/** Runs, steps and evaluations as a person reads them. */

import type {
  DomainFigures,
  EvaluationDocument,
  RunsDocument,
  StepDocument,
} from '../../contracts/documents.ts';
import { decimal, moment, percent, percentInterval, short } from '../output/figures.ts';
import { tableText } from '../output/output.ts';

export function runsText(runs: RunsDocument): string {
  if (runs.length === 0) return 'No run yet. Launch one: `r1 launch recipes/nano-zero.yaml`.';
  const rows = runs.map(({ run, recipe, status, startedAt, place }) => [
    run,
    recipe,
    [status, ...placeText(place)].join(', '),
    moment(startedAt),
  ]);
  return tableText(['run', 'recipe', 'status', 'started'], rows);
}

/** Where a run stands among those that wait for a trainer. */
export const placeText = (place: number | null): string[] =>
  place === null ? [] : [`${place === 1 ? 'next' : `place ${place}`} in the queue for a trainer`];

export function evaluationsText(evaluations: readonly EvaluationDocument[]): string {
  const rows = evaluations.map((evaluation) => [
    evaluation.stage,
    String(evaluation.step),
    `${evaluation.problems} × ${evaluation.k}`,
    ...figuresOf(evaluation),
  ]);
  return tableText(['policy', 'step', 'samples', ...FIGURES], rows, { gap: 2 });
}

const FIGURES = ['pass@1', '95 %', 'cons@k', 'format', 'length', 'reflects', 'language', 'general'];

function figuresOf(evaluation: EvaluationDocument): string[] {
  return [
    percent(evaluation.passAt1),
    percentInterval(evaluation.passAt1Interval),
    percent(evaluation.consAtK),
    percent(evaluation.formatRate),
    decimal(evaluation.meanLength, 1),
    percent(evaluation.reflectionRate),
    percent(evaluation.languageConsistency),
    percent(evaluation.generalAbility),
  ];
}

/** How often the problems of each domain are solved. */
export function domainsText({ byDomain }: EvaluationDocument): string {
  const rows = Object.entries(byDomain ?? {}).map(([name, figures]) => [
    name,
    String(figures.problems),
    ...solvedOf(figures),
  ]);
  return tableText(['domain', 'problems', ...SOLVED], rows, { gap: 2 });
}

const SOLVED = ['pass@1', '95 %', 'pass@k', '95 %', 'cons@k', '95 %'];

const solvedOf = (figures: DomainFigures): string[] => [
  percent(figures.passAt1),
  percentInterval(figures.passAt1Interval),
  percent(figures.passAtK ?? null),
  percentInterval(figures.passAtKInterval ?? null),
  percent(figures.consAtK ?? null),
  percentInterval(figures.consAtKInterval ?? null),
];

export function stepsText(steps: readonly StepDocument[]): string {
  if (steps.length === 0) return 'No step yet.';
  const rows = steps.map((step) => [
    step.stage,
    String(step.step),
    decimal(step.reward),
    percent(step.accuracy),
    decimal(step.meanLength, 1),
    decimal(step.loss, 4),
    decimal(step.kl, 4),
    decimal(step.entropy),
    decimal(step.gradNorm),
    percent(step.clipFraction, 2),
    step.learningRate.toExponential(1),
    secondsOf(step).toFixed(1),
    short(step.digestAfter),
    step.seam ? 'seam' : '',
  ]);
  return tableText(STEP_HEAD, rows, { gap: 2 });
}

const STEP_HEAD = [
  'stage',
  'step',
  'reward',
  'accuracy',
  'length',
  'loss',
  'kl',
  'entropy',
  'grad',
  'clipped',
  'rate',
  's',
  'digest',
  '',
];

/** How long a step took from beginning to end. */
export function secondsOf(step: StepDocument): number {
  return step.secondsSampling + step.secondsScoring + step.secondsTraining + step.secondsOther;
}
