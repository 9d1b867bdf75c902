import type { EvaluationDocument, StepDocument } from '../contracts/documents.ts';
import { count, decimal, duration } from './figures.ts';
import { secondsOf } from './run-view.ts';

/** What is known of a stage at one moment: rows, and what its workflow says it is doing. */
export interface StageSnapshot {
  stage: string;
  /** last committed step, of `steps` */
  step: number;
  steps: number;
  /** the last steps, oldest first */
  recent: readonly StepDocument[];
  /** the last evaluation of this stage or of its base */
  evaluation: EvaluationDocument | null;
  /** `sampling`, `training`, …; null where the workflow does not answer */
  phase: string | null;
  detail: string;
}

/**
 * `zero  step 37/90 · reward 1.31 · pass@1 0.42 (step 20) · length 48 · kl 0.0040 · 9.8k tok/s · 4 min left`
 *
 * pass@1 is the last evaluation's, with the step at which it was measured; before any, the share of right
 * answers among the last step's training samples, called `train`.
 */
export function progressText(snapshot: StageSnapshot): string {
  const { stage, step, steps, recent, phase } = snapshot;
  const last = recent.at(-1);
  const doing = phase !== null && phase !== 'training' && phase !== 'sampling' ? [doingText(snapshot)] : [];
  if (last === undefined) return joined(`${stage}  step ${step}/${steps}`, [doingText(snapshot)]);
  return joined(`${stage}  step ${step}/${steps}`, [
    `reward ${decimal(last.reward, 2)}`,
    accuracyText(snapshot, last),
    `length ${decimal(last.meanLength, 0)}`,
    last.kl === null ? '' : `kl ${decimal(last.kl, 4)}`,
    `${count(tokensPerSecond(recent))} tok/s`,
    step < steps ? `${duration(secondsLeft(snapshot))} left` : '',
    ...doing,
  ]);
}

const joined = (head: string, parts: readonly string[]) =>
  [head, ...parts.filter((part) => part !== '')].join(' · ');

function doingText({ phase, detail }: StageSnapshot): string {
  return [phase ?? 'waiting for a worker', detail].filter((part) => part !== '').join(': ');
}

function accuracyText({ evaluation }: StageSnapshot, last: StepDocument): string {
  if (evaluation !== null) {
    return `pass@1 ${decimal(evaluation.passAt1, 2)} (${evaluation.step === 0 ? 'base' : `step ${evaluation.step}`})`;
  }
  return last.accuracy === null ? '' : `train accuracy ${decimal(last.accuracy, 2)}`;
}

/** Tokens sampled and trained, over the whole time of the steps. */
function tokensPerSecond(recent: readonly StepDocument[]): number {
  const tokens = recent.reduce((sum, step) => sum + step.tokensSampled + step.tokensTrained, 0);
  const seconds = recent.reduce((sum, step) => sum + secondsOf(step), 0);
  return seconds === 0 ? 0 : tokens / seconds;
}

/** The steps that are left at the pace of the last ones; evaluations come on top. */
function secondsLeft({ step, steps, recent }: StageSnapshot): number {
  const seconds = recent.reduce((sum, each) => sum + secondsOf(each), 0);
  return ((steps - step) * seconds) / Math.max(1, recent.length);
}
