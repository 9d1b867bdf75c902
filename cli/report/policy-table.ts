/** The paper's table for a run: its policies' measurements, and the paper's own beside them. */
import type { EvaluationDocument } from '../../contracts/documents.ts';
import { decimal, percent, percentInterval } from '../figures.ts';
import type { PaperFigures } from './paper.ts';
import type { Policy } from './policies.ts';
import type { ReportData } from './report-data.ts';

export interface Table {
  head: string[];
  rows: string[][];
}

/** What a policy was measured at. */
const MEASURED: { head: string; of: (evaluation: EvaluationDocument) => string }[] = [
  { head: 'step', of: ({ step }) => String(step) },
  { head: 'pass@1', of: ({ passAt1 }) => percent(passAt1) },
  { head: '95 %', of: ({ passAt1Interval }) => percentInterval(passAt1Interval) },
  { head: 'pass@k', of: ({ passAtK }) => percent(passAtK) },
  { head: 'cons@k', of: ({ consAtK }) => percent(consAtK) },
  { head: 'length', of: ({ meanLength }) => decimal(meanLength, 1) },
  { head: 'format', of: ({ formatRate }) => percent(formatRate) },
  { head: 'language', of: ({ languageConsistency }) => percent(languageConsistency) },
  { head: 'reflects', of: ({ reflectionRate }) => percent(reflectionRate) },
  { head: 'general', of: ({ generalAbility }) => percent(generalAbility) },
];

const PUBLISHED: { head: string; of: (paper: PaperFigures) => string }[] = [
  { head: 'AIME 2024', of: ({ aime }) => decimal(aime, 1) },
  { head: 'MATH-500', of: ({ math500 }) => decimal(math500, 1) },
  { head: 'IF-Eval', of: ({ ifEval }) => decimal(ifEval, 1) },
];

export function policyRows(policies: readonly Policy[]): Table {
  const cells = ({ title, evaluation, paper }: Policy) => [
    title,
    ...MEASURED.map(({ of }) => (evaluation === null ? '–' : of(evaluation))),
    ...PUBLISHED.map(({ of }) => (paper === null ? '' : of(paper))),
  ];
  const head = ['policy', ...MEASURED.map(({ head }) => head), ...PUBLISHED.map(({ head }) => head)];
  return { head, rows: policies.map(cells) };
}

/** Whether a column holds the paper's figures. */
export const isPublished = (column: number) => column > MEASURED.length;

/** How the figures were measured. */
export function samplingNote({ evaluation, evaluations }: ReportData): string {
  const { temperature, top_p, max_completion_length } = evaluation;
  const whole = evaluations.findLast(({ quick }) => !quick);
  const extent =
    whole === undefined ? '' : `${whole.problems} held-out problems, k = ${whole.k} samples each, `;
  return (
    `${extent}temperature ${temperature}, top-p ${top_p}, at most ${max_completion_length} tokens. ` +
    'pass@1 is the mean over the samples; pass@k: at least one of a problem’s samples is right; cons@k: the majority is.'
  );
}
