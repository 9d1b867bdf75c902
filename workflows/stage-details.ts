import type { MakeBatchResult, ScoreRolloutResult } from '../contracts/activities.ts';
import type { TrainStepResult } from '../contracts/training.ts';

/** What the UI's details page shows of a step. */
export interface StepStory {
  step: number;
  batch: MakeBatchResult;
  result: TrainStepResult;
}

const columns = ['step', 'reward', 'accuracy', 'length', 'kl', 'entropy', 'clipped', 'grad norm', 'rate'];
/** The UI sets tables without any room between their columns. */
const GAP = '\u00a0\u00a0';

const figure = (value: number | null, digits = 3) => (value === null ? '–' : value.toFixed(digits));

/** `step 37 · reward 0.61 · len 48 · kl 0.004`: an activity's summary, at most 400 bytes. */
export function stepSummary({ step, batch, result }: StepStory): string {
  const kl = result.metrics.kl === null ? '' : ` · kl ${result.metrics.kl.toFixed(4)}`;
  return `step ${step} · reward ${batch.reward.toFixed(2)} · len ${batch.meanLength.toFixed(0)}${kl}`;
}

/** The last steps as a table and the last samples, as Markdown. */
export function stageDetails(
  recent: readonly StepStory[],
  steps: number,
  samples: ScoreRolloutResult['samples'],
): string {
  return [
    `### Step ${recent.at(-1)?.step ?? 0} of ${steps}`,
    '',
    `|${columns.map((name) => `${GAP}${name}`).join('|')}|`,
    '|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...recent.map(row),
    '',
    '### Last samples',
    ...samples.flatMap(({ problem, text, score }) => [
      '',
      `**${inline(problem)}** · ${score}`,
      '',
      fenced(text),
    ]),
  ].join('\n');
}

function row({ step, batch, result: { metrics } }: StepStory): string {
  const cells = [
    step,
    figure(batch.reward),
    figure(batch.accuracy),
    figure(batch.meanLength, 1),
    figure(metrics.kl, 4),
    figure(metrics.entropy),
    figure(metrics.clipFraction, 4),
    figure(metrics.gradNorm),
    batch.learningRate.toExponential(1),
  ];
  return `|${cells.map((cell) => `${GAP}${cell}`).join('|')}|`;
}

/** Samples are a model's output: they must not end the block that shows them. */
const fenced = (text: string) => `~~~~\n${text.replaceAll('~~~~', '~ ~ ~ ~')}\n~~~~`;
const inline = (text: string) => text.replaceAll(/[*_`\n|<>]/g, ' ');
