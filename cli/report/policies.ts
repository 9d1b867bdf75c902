/** The policies of a run in the order of the paper's table, and the table itself. */
import type { DomainFigures, EvaluationDocument } from '../../contracts/documents.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { besideRoles, roleOf, type StageRole, suffixOf } from '../../contracts/stage-name.ts';
import { decimal, METRICS, type Metric, metricsOf, percent, percentInterval } from '../output/figures.ts';
import type { ReportData } from './report-data.ts';

export interface Policy {
  /** stage, or model that stages start from */
  name: string;
  /** the paper's name */
  title: string;
  /** status of the stage */
  status: string;
  /** last full evaluation; null where there is none */
  evaluation: EvaluationDocument | null;
  paper: PaperFigures | null;
  /** whether it leads from base to R1; students and controls do not */
  toR1: boolean;
}

const titles: Record<Exclude<StageRole, 'reward-model'>, string> = {
  zero: 'R1-Zero',
  'cold-start-sft': 'Dev1',
  'reasoning-rl': 'Dev2',
  'rejection-sft': 'Dev3',
  'scenario-rl': 'R1',
  distill: 'Student',
  control: 'Control',
};

/** The base and the stages that lead to R1; then for each student: untrained, distilled, control. */
export function policiesOf({ show, evaluations }: Pick<ReportData, 'show' | 'evaluations'>): Policy[] {
  const whole = evaluations.filter(({ quick }) => !quick);
  const measured = (name: string) => whole.findLast(({ stage }) => stage === name) ?? null;
  const before = (name: string): Policy => ({
    name,
    title: name === 'base' ? 'Base' : `Untrained ${name.slice('student/'.length)}`,
    status: 'complete',
    evaluation: measured(name),
    paper: name === 'base' ? paperBase : null,
    toR1: name === 'base',
  });
  const trained = show.stages.flatMap(({ stage, origin, status }): Policy[] => {
    const role = roleOf(stage);
    if (role === 'reward-model') return [];
    const policy = { name: stage, title: titleOf(stage, role), status, evaluation: measured(stage) };
    return [
      ...(origin?.startsWith('student/') ? [before(origin)] : []),
      { ...policy, paper: paperFigures[role] ?? null, toR1: !besideRoles.includes(role) },
    ];
  });
  return byStudent(firstOfName([before('base'), ...trained]));
}

function byStudent(policies: readonly Policy[]): Policy[] {
  const others = policies.filter(({ toR1 }) => !toR1);
  const students = [...new Set(others.map(({ name }) => suffixOf(name)))];
  return [
    ...policies.filter(({ toR1 }) => toR1),
    ...students.flatMap((student) => others.filter(({ name }) => suffixOf(name) === student)),
  ];
}

function titleOf(stage: string, role: Exclude<StageRole, 'reward-model'>): string {
  const suffix = suffixOf(stage);
  return suffix === undefined ? titles[role] : `${titles[role]} ${suffix}`;
}

const firstOfName = (policies: readonly Policy[]) =>
  policies.filter(({ name }, index) => policies.findIndex((other) => other.name === name) === index);

export interface Table {
  head: string[];
  rows: string[][];
}

interface Column {
  of(policy: Policy): string;
  /** a number of the paper */
  published?: true;
}

const published = (of: (paper: PaperFigures) => string): Column => ({
  of: ({ paper }) => (paper === null ? '' : of(paper)),
  published: true,
});

/** A column for each metric. */
const measured = Object.fromEntries(
  (Object.keys(METRICS) as Metric[]).map((name) => [
    name,
    { of: ({ evaluation }: Policy) => metricsOf([name], evaluation)[0] ?? '' },
  ]),
) as Record<Metric, Column>;

const COLUMNS = {
  policy: { of: ({ title }: Policy) => title },
  stage: { of: ({ name }: Policy) => name },
  step: { of: ({ evaluation }: Policy) => (evaluation === null ? '–' : String(evaluation.step)) },
  ...measured,
  'AIME 2024': published(({ aime }) => decimal(aime, 1)),
  'MATH-500': published(({ math500 }) => decimal(math500, 1)),
  'IF-Eval': published(({ ifEval }) => decimal(ifEval, 1)),
} satisfies Record<string, Column>;
export type ColumnName = keyof typeof COLUMNS;

const ALL = Object.keys(COLUMNS) as ColumnName[];

/** One row per policy: its metrics and, optionally, the paper's numbers. */
export function policyRows(
  policies: readonly Policy[],
  { columns = ALL, withPaper }: { columns?: readonly ColumnName[]; withPaper: boolean },
): Table {
  const head = columns.filter((name) => withPaper || !isPublished(name));
  return { head, rows: policies.map((policy) => head.map((name) => COLUMNS[name].of(policy))) };
}

/** pass@1 by policy and domain; null where there is only one domain. */
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

/** Whether a column has the paper's numbers. */
export const isPublished = (name: string) => PUBLISHED.has(name);

const PUBLISHED: ReadonlySet<string> = new Set(ALL.filter((name) => 'published' in COLUMNS[name]));

type Measured = Pick<ReportData, 'evaluation' | 'evaluations'>;

/** How the metrics were measured. */
export function samplingText({ evaluation, evaluations }: Measured): string {
  const { temperature, top_p, max_completion_length } = evaluation;
  const whole = evaluations.findLast(({ quick }) => !quick);
  const extent =
    whole === undefined ? '' : `${whole.problems} held-out problems, k = ${whole.k} samples each, `;
  return `${extent}temperature ${temperature}, top-p ${top_p}, at most ${max_completion_length} tokens.`;
}

/** How they were measured, and what they mean. */
export const samplingNote = (data: Measured) =>
  `${samplingText(data)} pass@1 is the mean over the samples; pass@k: at least one of a problem’s samples is right; ` +
  'cons@k: the majority is. General: pass@1 on tasks without reasoning; language: step words in the target language.';

/** Whether reports show the paper's numbers: they say nothing about prompts of other tasks. */
export const comparesWithPaper = ({
  compare_with_paper,
  prompts,
}: Pick<Recipe, 'compare_with_paper' | 'prompts'>): boolean =>
  compare_with_paper ?? prompts.source === 'nano-sums';

interface PaperFigures {
  /** AIME 2024, pass@1 */
  aime: number;
  math500: number | null;
  ifEval: number | null;
}

const paperBase: PaperFigures = { aime: 15.6, math500: null, ifEval: null };

/** The student is the 32B one, for which the paper has a control. */
const paperFigures: Partial<Record<StageRole, PaperFigures>> = {
  zero: { aime: 77.9, math500: 95.9, ifEval: 46.6 },
  'cold-start-sft': { aime: 59.0, math500: null, ifEval: 71.7 },
  'reasoning-rl': { aime: 74.0, math500: null, ifEval: 72.0 },
  'rejection-sft': { aime: 78.1, math500: null, ifEval: 78.1 },
  'scenario-rl': { aime: 79.8, math500: 97.3, ifEval: 83.3 },
  distill: { aime: 72.6, math500: 94.3, ifEval: null },
  control: { aime: 47.0, math500: 91.6, ifEval: null },
};
