/** Runs, stages, steps and evaluations as a person reads them. */

import { seamText } from '../algorithm/numerics.ts';
import { waysOn, waysText } from '../algorithm/ways-on.ts';
import type { EvaluationDocument, RunsDocument, ShowDocument, StepDocument } from '../contracts/documents.ts';
import { decimal, moment, percent, percentInterval, short } from './figures.ts';
import { tableText } from './output.ts';

export function runsText(runs: RunsDocument): string {
  if (runs.length === 0) return 'No run yet. Launch one: `r1 launch recipes/nano-zero.yaml`.';
  const rows = runs.map(({ run, recipe, status, startedAt }) => [run, recipe, status, moment(startedAt)]);
  return tableText(['run', 'recipe', 'status', 'started'], rows);
}

export function showText(show: ShowDocument, ui: string | null): string {
  const parts = [
    `${show.run}  ·  recipe ${show.recipe}  ·  seed ${show.seed}  ·  ${show.status}  ·  started ${moment(show.startedAt)}`,
    stagesText(show.stages),
    ...show.stages.flatMap((stage) => restText(show.run, stage)),
    ...show.stages.flatMap(({ stage, checkpoint }) =>
      checkpoint === null ? [] : [`checkpoint of ${stage}: ${checkpoint.uri}`],
    ),
    ...(show.alarms.length === 0 ? [] : [alarmsText(show.alarms)]),
    ...show.stages.flatMap(seamsText),
    ...show.stages.flatMap(changesText),
    ...(show.evaluations.length === 0 ? [] : [evaluationsText(show.evaluations)]),
    ...(ui === null ? [] : [`in the Temporal UI: ${ui}`]),
  ];
  return parts.join('\n\n');
}

type StageDocument = ShowDocument['stages'][number];

/** Why a stage rests, and the ways on; nothing where it does not. */
function restText(run: string, { stage, status, reason }: StageDocument): string[] {
  const ways = waysOn(status, run);
  if (ways.length === 0) return [];
  return [`${stage} is ${status}: ${reason ?? 'no reason was recorded'}\n${waysText(ways)}`];
}

/** Signs of trouble, each at the step that raised it. */
function alarmsText(alarms: ShowDocument['alarms']): string {
  const rows = alarms.map(({ stage, step, name, action, text }) => [stage, String(step), name, action, text]);
  return tableText(['alarm in', 'step', 'alarm', 'does', 'because'], rows);
}

/** Where a stage went on under other numerics (rule 12). */
function seamsText({ stage, seams }: StageDocument): string[] {
  const lines = seams.map((seam) => `seam in ${stage} at step ${seam.step}: ${seamText(seam)}`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** The live changes of a stage (rule 7). */
function changesText({ stage, changes }: StageDocument): string[] {
  if (changes.length === 0) return [];
  const rows = changes.map((c) => [stage, c.field, String(c.value), String(c.effectiveStep), c.author]);
  return [tableText(['changed in', 'field', 'to', 'from step', 'by'], rows)];
}

function stagesText(stages: ShowDocument['stages']): string {
  const rows = stages.map(({ stage, status, branch, step, steps, checkpoint, finishedAt }) => [
    stage,
    status,
    `${step}/${steps}`,
    String(branch),
    short(checkpoint?.digest ?? null),
    moment(finishedAt),
  ]);
  return tableText(['stage', 'status', 'step', 'branch', 'digest', 'finished'], rows);
}

export function evaluationsText(evaluations: readonly EvaluationDocument[]): string {
  const rows = evaluations.map((evaluation) => [
    evaluation.stage,
    String(evaluation.step),
    `${evaluation.problems} × ${evaluation.k}`,
    ...figuresOf(evaluation),
  ]);
  return tableText(['policy', 'step', 'samples', ...FIGURES], rows);
}

const FIGURES = ['pass@1', '95 %', 'cons@k', 'format', 'length', 'reflects'];

function figuresOf(evaluation: EvaluationDocument): string[] {
  return [
    percent(evaluation.passAt1),
    percentInterval(evaluation.passAt1Interval),
    percent(evaluation.consAtK),
    percent(evaluation.formatRate),
    decimal(evaluation.meanLength, 1),
    percent(evaluation.reflectionRate),
  ];
}

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
  return tableText(STEP_HEAD, rows);
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

/** The final table: what reinforcement learning made of the base. */
export function comparisonText(base: EvaluationDocument, trained: EvaluationDocument): string {
  const interval = (evaluation: EvaluationDocument) =>
    `${percent(evaluation.passAt1)}  (${percentInterval(evaluation.passAt1Interval)})`;
  const rows: [string, (evaluation: EvaluationDocument) => string][] = [
    ['pass@1 (95 % interval)', interval],
    [`cons@${trained.k}`, ({ consAtK }) => percent(consAtK)],
    ['format', ({ formatRate }) => percent(formatRate)],
    ['mean length, tokens', ({ meanLength }) => decimal(meanLength, 1)],
    ['checks or corrects itself', ({ reflectionRate }) => percent(reflectionRate)],
  ];
  return tableText(
    ['', 'base', `R1-Zero (step ${trained.step})`],
    rows.map(([name, figure]) => [name, figure(base), figure(trained)]),
  );
}
