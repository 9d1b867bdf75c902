/** The progress of a run on one line. */
import type { EvaluationDocument, ShowDocument, StepDocument } from '../../contracts/documents.ts';
import { count, decimal, duration, percent } from '../output/figures.ts';
import { tenthOf } from './live-line.ts';
import { secondsOf } from './show.ts';

type Algorithm = ShowDocument['stages'][number]['algorithm'];

/** The state of a stage: rows, and the phase of its workflow. */
export interface StageSnapshot {
  stage: string;
  algorithm: Algorithm;
  /** last committed step */
  step: number;
  steps: number;
  /** the last steps, oldest first */
  recent: readonly StepDocument[];
  /** last evaluation of this stage, or else of what it starts from */
  evaluation: EvaluationDocument | null;
  /** `sampling`, `training`, …; null where the workflow does not answer, undefined before the first query */
  phase: string | null | undefined;
  detail: string;
}

/**
 * `zero  step 37/90 · reward 1.31 · pass@1 0.42 (step 20) · length 48 · kl 0.0040 · 9.8k tok/s · 4 min left`
 *
 * Parallel stages share the line, each with its first metric or its phase; the time is the longest:
 * `distill/small 120/200 loss 0.031 | distill/medium waiting | control/small 12/40 reward 1.04 · 20 s left`
 */
export function progressText(snapshots: readonly StageSnapshot[]): string {
  const [only] = snapshots;
  if (only !== undefined && snapshots.length === 1) return fullText(only);
  const seconds = snapshots.map(secondsLeft).filter((left) => left !== null);
  const left = seconds.length === 0 ? '' : `${duration(Math.max(...seconds))} left`;
  return joined(snapshots.map(briefText).join(' | '), [left]);
}

/** A new milestone at every tenth and whenever the stages change; null where nothing is known yet. */
export function progressMilestone(snapshots: readonly StageSnapshot[]): string | null {
  if (snapshots.some(({ phase, recent }) => phase === undefined && recent.length === 0)) return null;
  const sum = (of: (snapshot: StageSnapshot) => number) => snapshots.reduce((so, each) => so + of(each), 0);
  const tenth = tenthOf(
    sum(({ step }) => step),
    sum(({ steps }) => steps),
  );
  return `${snapshots.map(({ stage }) => stage).join(', ')}: ${tenth}`;
}

function fullText(snapshot: StageSnapshot): string {
  const { stage, step, steps, recent, algorithm } = snapshot;
  const last = recent.at(-1);
  const figures =
    last === undefined
      ? []
      : [
          ...FIGURES[algorithm](snapshot, last),
          `${count(tokensPerSecond(recent))} tok/s`,
          leftText(snapshot),
        ];
  return joined(`${stage}  step ${step}/${steps}`, [...figures, doingText(snapshot)]);
}

function briefText(snapshot: StageSnapshot): string {
  const { stage, step, steps, recent, algorithm } = snapshot;
  const [doing = ''] = doingText(snapshot).split(/[ :]/, 1);
  const last = recent.at(-1);
  if (last === undefined) return `${stage} ${doing}`;
  const [figure = ''] = FIGURES[algorithm](snapshot, last);
  return `${stage} ${step}/${steps} ${doing || figure}`;
}

const joined = (head: string, parts: readonly string[]) =>
  [head, ...parts.filter((part) => part !== '')].join(' · ');

/** Metrics by algorithm, the most important first. */
const FIGURES: Record<Algorithm, (snapshot: StageSnapshot, last: StepDocument) => string[]> = {
  grpo: (snapshot, last) => [
    `reward ${decimal(last.reward, 2)}`,
    accuracyText(snapshot, last),
    `length ${decimal(last.meanLength, 0)}`,
    last.kl === null ? '' : `kl ${decimal(last.kl, 4)}`,
  ],
  sft: (snapshot, last) => [lossText(last), rateText(last), ownAccuracyText(snapshot)],
  'reward-model': (_, last) => [
    last.accuracy === null ? '' : `ranks ${percent(last.accuracy, 0)} correctly`,
    lossText(last),
    rateText(last),
  ],
};

const lossText = ({ loss }: StepDocument) => `loss ${decimal(loss, 3)}`;
const rateText = ({ learningRate }: StepDocument) => `rate ${learningRate.toExponential(1)}`;

/** The last evaluation; before the first one, the accuracy on the step's own samples, marked `train`. */
function accuracyText({ stage, evaluation }: StageSnapshot, last: StepDocument): string {
  if (evaluation !== null) {
    const { stage: measured, step, passAt1 } = evaluation;
    return `pass@1 ${decimal(passAt1, 2)} (${measured === stage ? `step ${step}` : measured})`;
  }
  return last.accuracy === null ? '' : `train accuracy ${decimal(last.accuracy, 2)}`;
}

function ownAccuracyText({ stage, evaluation }: StageSnapshot): string {
  if (evaluation?.stage !== stage) return '';
  return `pass@1 ${decimal(evaluation.passAt1, 2)} (step ${evaluation.step})`;
}

/** Phases that are not shown once steps are committed. */
const USUAL: ReadonlySet<string> = new Set(['training', 'sampling', 'scoring']);

function doingText({ phase, detail, recent }: StageSnapshot): string {
  if (recent.length > 0 && (phase == null || USUAL.has(phase))) return '';
  if (phase === undefined) return 'starting';
  return [phase ?? 'waiting for a worker', detail].filter((part) => part !== '').join(': ');
}

/** Tokens sampled and trained, divided by the duration of the steps. */
function tokensPerSecond(recent: readonly StepDocument[]): number {
  const tokens = recent.reduce((sum, step) => sum + step.tokensSampled + step.tokensTrained, 0);
  const seconds = recent.reduce((sum, step) => sum + secondsOf(step), 0);
  return seconds === 0 ? 0 : tokens / seconds;
}

function leftText(snapshot: StageSnapshot): string {
  const seconds = secondsLeft(snapshot);
  return seconds === null ? '' : `${duration(seconds)} left`;
}

/** The remaining steps at the speed of the last ones, without evaluations; null where unknown. */
function secondsLeft({ step, steps, recent }: StageSnapshot): number | null {
  if (step >= steps || recent.length === 0) return null;
  const seconds = recent.reduce((sum, each) => sum + secondsOf(each), 0);
  return ((steps - step) * seconds) / recent.length;
}
