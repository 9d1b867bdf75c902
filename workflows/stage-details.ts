import { numericsChangeText } from '../algorithm/run/numerics-changes.ts';
import { verifierChangeText } from '../algorithm/run/verifier-changes.ts';
import type { MakeBatchResult, NumericsChange, VerifierChange } from '../contracts/activities.ts';
import type { RaisedAlarm } from '../contracts/alarms.ts';
import type { Change } from '../contracts/options.ts';
import type { StageProgress, StageShown, StepStory } from '../contracts/workflows.ts';

const columns = ['step', 'reward', 'accuracy', 'length', 'kl', 'entropy', 'clipped', 'grad norm', 'rate'];
/** The UI renders tables without space between their columns. */
const GAP = '\u00a0\u00a0';

const figure = (value: number | null, digits = 3) => (value === null ? '–' : value.toFixed(digits));

/** `step 37 · reward 0.61 · len 48 · kl 0.004`: an activity's summary, at most 400 bytes. */
export function stepSummary({ step, batch, result }: StepStory): string {
  const kl = result.metrics.kl === null ? '' : ` · kl ${result.metrics.kl.toFixed(4)}`;
  return `step ${step} · ${rewardText(batch)}len ${batch.meanLength.toFixed(0)}${kl}`;
}

const rewardText = ({ reward }: MakeBatchResult) => (reward === null ? '' : `reward ${reward.toFixed(2)} · `);

/** The last steps as a table and the last samples, as Markdown. */
export function stageDetails({ recent, samples }: StageShown, steps: number): string {
  return [
    `### Step ${recent.at(-1)?.step ?? 0} of ${steps}`,
    '',
    `|${columns.map((name) => `${GAP}${name}`).join('|')}|`,
    '|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...recent.map(row),
    ...(samples.length === 0 ? [] : ['', '### Last samples']),
    ...samples.flatMap(({ problem, text, score }) => [
      '',
      `**${span(problem)}** · ${inline(score)}`,
      '',
      fenced(text),
    ]),
  ].join('\n');
}

/** What the stage does now, and what an operator has requested. */
export function phaseText({ phase, detail, wish }: StageProgress): string {
  const doing = detail === '' ? `**${phase}**` : `**${phase}**: ${inline(detail)}`;
  if (wish === null) return doing;
  const by = wish.author === null ? '' : ` by ${inline(wish.author)}`;
  return `${doing}\n\nRequested${by}: ${wish.kind} after the current step.`;
}

/** The alarms that were raised, by step; empty where there are none. */
export function alarmsText(alarms: readonly RaisedAlarm[]): string {
  if (alarms.length === 0) return '';
  const lines = alarms.map(
    ({ step, name, action, text }) => `- step ${step}: **${name}** (${action}), ${inline(text)}`,
  );
  return ['### Alarms', '', ...lines].join('\n');
}

/** The steps from which the numerics differ (rule 12); empty where there are none. */
export function numericsChangesText(changes: readonly NumericsChange[]): string {
  if (changes.length === 0) return '';
  const lines = changes.map((change) => `- from step ${change.step}: ${numericsChangeText(change)}`);
  return ['### Numerics changes', '', ...lines].join('\n');
}

/** The steps from which rewards are scored by other versions of their verifiers; empty where there are none. */
export function verifiersText(changes: readonly VerifierChange[]): string {
  if (changes.length === 0) return '';
  const lines = changes.map((change) => `- from step ${change.step}: ${verifierChangeText(change)}`);
  return ['### Verifiers changed', '', ...lines].join('\n');
}

/** The live changes (rule 7), by effective step; empty where there are none. */
export function changesText(changes: readonly Change[]): string {
  if (changes.length === 0) return '';
  const lines = [...changes]
    .sort((a, b) => a.effectiveStep - b.effectiveStep)
    .map((c) => `- from step ${c.effectiveStep}: ${c.field} = ${c.value}, by ${inline(c.author)}`);
  return ['### Live changes', '', ...lines].join('\n');
}

function row({ step, batch, result: { metrics }, seam }: StepStory): string {
  const cells = [
    seam ? `${step} (numerics change)` : step,
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

/** Model output, verbatim: the fence is longer than any inside it. */
function fenced(text: string): string {
  const fence = '~'.repeat(Math.max(3, longestRun(text, '~')) + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** A problem on one line, verbatim: in a code span, tags, dollars and brackets have no meaning. */
function span(text: string): string {
  const fence = '`'.repeat(longestRun(text, '`') + 1);
  return `${fence} ${oneLine(text)} ${fence}`;
}

/** Prose on one line, with Markdown escaped. The UI's renderer supports these escapes and no others. */
const inline = (text: string) => oneLine(text).replaceAll(/[\\`*_{}[\]()#+.!:|&<>~^$-]/g, '\\$&');

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (const each of text) {
    run = each === character ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
