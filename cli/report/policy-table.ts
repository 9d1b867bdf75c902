/** The paper's table for a run: its policies' measurements, and the paper's own beside them. */
import type { DomainFigures, EvaluationDocument } from '../../contracts/documents.ts';
import { decimal, percent, percentInterval } from '../output/figures.ts';
import type { PaperFigures } from './paper.ts';
import type { Policy } from './policies.ts';
import type { ReportData } from './report-data.ts';

export interface Table {
  head: string[];
  rows: string[][];
}

interface Column {
  of(policy: Policy): string;
  /** the paper's own figure */
  published?: true;
}

const measured = (of: (evaluation: EvaluationDocument) => string): Column => ({
  of: ({ evaluation }) => (evaluation === null ? '–' : of(evaluation)),
});
const published = (of: (paper: PaperFigures) => string): Column => ({
  of: ({ paper }) => (paper === null ? '' : of(paper)),
  published: true,
});

const COLUMNS = {
  policy: { of: ({ title }: Policy) => title },
  stage: { of: ({ name }: Policy) => name },
  step: measured(({ step }) => String(step)),
  'pass@1': measured(({ passAt1 }) => percent(passAt1)),
  '95 %': measured(({ passAt1Interval }) => percentInterval(passAt1Interval)),
  'pass@k': measured(({ passAtK }) => percent(passAtK)),
  'cons@k': measured(({ consAtK }) => percent(consAtK)),
  general: measured(({ generalAbility }) => percent(generalAbility)),
  language: measured(({ languageConsistency }) => percent(languageConsistency)),
  format: measured(({ formatRate }) => percent(formatRate)),
  length: measured(({ meanLength }) => decimal(meanLength, 1)),
  reflects: measured(({ reflectionRate }) => percent(reflectionRate)),
  'AIME 2024': published(({ aime }) => decimal(aime, 1)),
  'MATH-500': published(({ math500 }) => decimal(math500, 1)),
  'IF-Eval': published(({ ifEval }) => decimal(ifEval, 1)),
} satisfies Record<string, Column>;
export type ColumnName = keyof typeof COLUMNS;

const ALL = Object.keys(COLUMNS) as ColumnName[];

/** A row a policy: what it was measured at, and where it is asked for the paper's own figures. */
export function policyRows(
  policies: readonly Policy[],
  { columns = ALL, withPaper }: { columns?: readonly ColumnName[]; withPaper: boolean },
): Table {
  const head = columns.filter((name) => withPaper || !isPublished(name));
  return { head, rows: policies.map((policy) => head.map((name) => COLUMNS[name].of(policy))) };
}

/** pass@1 of each policy on each domain; null where all problems are of one. */
export function domainRows(policies: readonly Policy[]): Table | null {
  const measured = policies.flatMap(({ title, evaluation }) => {
    const figures = evaluation?.byDomain;
    return figures ? [{ title, figures }] : [];
  });
  const domains = [...new Set(measured.flatMap(({ figures }) => Object.keys(figures)))].sort();
  if (domains.length < 2) return null;
  const cell = (figures: DomainFigures | undefined) =>
    figures === undefined
      ? percent(null)
      : `${percent(figures.passAt1)} (${percentInterval(figures.passAt1Interval)})`;
  const rows = measured.map(({ title, figures }) => [title, ...domains.map((name) => cell(figures[name]))]);
  return { head: ['policy', ...domains], rows };
}

/** Whether a column holds the paper's figures. */
export const isPublished = (name: string) => PUBLISHED.has(name);

const PUBLISHED: ReadonlySet<string> = new Set(ALL.filter((name) => 'published' in COLUMNS[name]));

type Measured = Pick<ReportData, 'evaluation' | 'evaluations'>;

/** How the figures were measured. */
export function samplingText({ evaluation, evaluations }: Measured): string {
  const { temperature, top_p, max_completion_length } = evaluation;
  const whole = evaluations.findLast(({ quick }) => !quick);
  const extent =
    whole === undefined ? '' : `${whole.problems} held-out problems, k = ${whole.k} samples each, `;
  return `${extent}temperature ${temperature}, top-p ${top_p}, at most ${max_completion_length} tokens.`;
}

/** How they were measured, and what they are. */
export const samplingNote = (data: Measured) =>
  `${samplingText(data)} pass@1 is the mean over the samples; pass@k: at least one of a problem’s samples is right; ` +
  'cons@k: the majority is. General: pass@1 on tasks without reasoning; language: step words in the target language.';
