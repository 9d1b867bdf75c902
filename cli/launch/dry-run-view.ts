/** A dry run as a person reads it. */
import { BYTES_OF_EVENT, MOST_EVENTS } from '../../algorithm/plan/run-size.ts';
import type { DryRunDocument } from '../../contracts/documents.ts';
import { clock, count, duration, size } from '../output/figures.ts';
import { tableText } from '../output/output.ts';

type Part = DryRunDocument['stages'][number];

export function dryRunText(run: DryRunDocument): string {
  const parts: Part[] = [...run.stages, { ...run.total, stage: 'all' }];
  return [
    table(workColumns(run), parts),
    table(storeColumns, parts),
    rowsText(run.total),
    limitsText(run.total),
    [lengthsText(run), ratesText(run)].join('\n'),
    'Not counted: what a launch imports (models, prompts, examples, preferences), and what is done twice because a worker is lost.',
    ...run.notes,
    ...absentText(run),
    'Nothing was written.',
  ].join('\n\n');
}

type Columns = Record<string, (part: Part) => string>;

const table = (columns: Columns, parts: readonly Part[]) =>
  tableText(
    Object.keys(columns),
    parts.map((part) => Object.values(columns).map((cell) => cell(part))),
    { gap: 2 },
  );

function workColumns({ rates, total }: DryRunDocument): Columns {
  return {
    stage: ({ stage }) => stage,
    steps: ({ steps }) => String(steps),
    completions: ({ completions }) => count(completions),
    'for evaluations': ({ evaluationCompletions }) => count(evaluationCompletions),
    'tokens sampled': ({ tokensSampled }) => count(tokensSampled),
    trained: ({ tokensTrained }) => count(tokensTrained),
    read: ({ tokensRead }) => count(tokensRead),
    ...(rates === null ? {} : { 'one device': ({ seconds }) => timeText(seconds ?? 0) }),
    ...(total.budgetMinutes === null
      ? {}
      : { budget: ({ budgetMinutes }) => clock(budgetMinutes === null ? null : 60 * budgetMinutes) }),
  };
}

const storeColumns: Columns = {
  stage: ({ stage }) => stage,
  objects: ({ objects }) => String(objects),
  'in S3': ({ s3Bytes }) => size(s3Bytes),
  'largest one': ({ largestObject }) => size(largestObject),
  rows: ({ rows }) => String(Object.values(rows).reduce((sum, each) => sum + each, 0)),
  'in Postgres': ({ postgresBytes }) => size(postgresBytes),
  events: ({ history }) => String(history.events),
  histories: ({ history }) => String(history.histories),
  'longest one': ({ history }) => String(history.longest),
};

function rowsText({ rows }: DryRunDocument['total']): string {
  const tables = Object.entries(rows).sort(([, a], [, b]) => b - a);
  return `Rows: ${tables.map(([name, number]) => `${name} ${number}`).join(', ')}`;
}

function limitsText({ history }: DryRunDocument['total']): string {
  const share = ((100 * history.longest) / MOST_EVENTS).toFixed(0);
  return (
    `The longest history has ${history.longest} events, ${share} % of the ${MOST_EVENTS} that Temporal allows, ` +
    `in about ${size(history.longest * BYTES_OF_EVENT)}.`
  );
}

function lengthsText({ meanLengths }: DryRunDocument): string {
  const unknown = Object.entries(meanLengths).flatMap(([stage, mean]) => (mean === null ? [stage] : []));
  if (unknown.length === 0) return 'Responses have the mean lengths given or measured.';
  const of = unknown.length === Object.keys(meanLengths).length ? 'every stage' : unknown.join(', ');
  return `Tokens, bytes and time are at most, as if each response of ${of} reached its limit; give --mean-length TOKENS or STAGE=TOKENS.`;
}

/** Days are no unit of a device's time. */
const timeText = (seconds: number) => (seconds < 3_600 ? duration(seconds) : `${count(seconds / 3_600)} h`);

function ratesText({ rates }: DryRunDocument): string {
  if (rates === null)
    return 'Time is reckoned with --tokens-per-second and --sampling-tokens-per-second, or with --rates-of RUN.';
  return (
    `Time of one device at ${count(rates.sampling)} tokens/s sampled and ${count(rates.training)} tokens/s trained, whatever the ` +
    'model’s size; reading goes at three times the latter.'
  );
}

function absentText({ absent }: DryRunDocument): string[] {
  if (absent.length === 0) return [];
  return [
    `Not here: ${absent.join(', ')}. They are reckoned with as large as the recipe says (parameters), prompts with 256 tokens; ` +
      'nothing that the recipe names was checked, and a launch refuses until they are there.',
  ];
}
