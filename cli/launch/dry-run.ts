/** `r1 launch --dry-run`: estimates what a launch would do. */
import { promptTokens } from '../../activities/sample-request.ts';
import {
  BYTES_OF_EVENT,
  deviceSeconds,
  MOST_EVENTS,
  type PartSize,
  type Rates,
  type RunSize,
  runSize,
} from '../../algorithm/plan/run-size.ts';
import type { RunFacts } from '../../algorithm/plan/stage-segments.ts';
import type { DryRunDocument } from '../../contracts/documents.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { parameterCount } from '../../engine/model/architecture.ts';
import type { Database } from '../../stores/database/database.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { InputError } from '../errors.ts';
import { clock, count, duration, size } from '../output/figures.ts';
import { tableText } from '../output/output.ts';
import type { RecipeFile } from '../recipe/recipe-file.ts';
import { findRun } from '../run/run-rows.ts';
import type { Connections } from '../stack/connections.ts';
import { suggestion } from '../suggestion.ts';
import { modelOf, modelsByName } from './check-models.ts';
import { checkLaunch } from './launch.ts';
import { budgetsOf, notesOnRecipe } from './plan-text.ts';
import { absentModels, absentText, type ResolvedLaunch, refuseAbsent } from './resolve.ts';

export interface DryRunOptions {
  rates: Rates | null;
  /** mean tokens of a response by stage; `*` for every other stage */
  meanLengths: ReadonlyMap<string, number>;
  /** mean lengths measured in another run, used where none is given */
  measuredLengths: ReadonlyMap<string, number>;
}

/** Assumed where there are no prompts or no tokenizer. */
const ASSUMED_PROMPT_TOKENS = 256;
/** Prompts whose tokens are counted. */
const MEASURED_PROMPTS = 500;

/**
 * Checks a recipe as a launch does and estimates its run; writes nothing. Where models are missing and the recipe
 * declares their sizes, the estimate uses those, and nothing is checked.
 */
export async function dryRun(
  file: RecipeFile,
  connections: Pick<Connections, 'database' | 'objects'>,
  { rates, meanLengths, measuredLengths }: DryRunOptions,
): Promise<DryRunDocument> {
  const { recipe, at = () => '' } = file;
  refuseUnknownStages(recipe, meanLengths);
  const absent = await absentModels({ ...file, database: connections.database });
  refuseAbsent(
    absent.filter(({ name }) => recipe.parameters?.[name] === undefined),
    at,
  );
  const found = absent.length === 0 ? factsOf(await checkLaunch(file, connections)) : declared(recipe);
  const meanLength = (stage: string) =>
    meanLengths.get(stage) ?? meanLengths.get('*') ?? measuredLengths.get(stage) ?? null;
  return {
    recipe: recipe.name,
    ...timed(runSize({ ...found, recipe, meanLength }), rates, budgetsOf(recipe)),
    meanLengths: Object.fromEntries(recipe.stages.map(({ stage }) => [stage, meanLength(stage)])),
    rates,
    absent: absent.map(absentText),
    notes: notesOnRecipe(recipe),
  };
}

/** Adds time and budget to the counts. */
function timed(
  { stages, total }: RunSize,
  rates: Rates | null,
  budgets: ReadonlyMap<string, number>,
): Pick<DryRunDocument, 'stages' | 'total'> {
  const secondsOf = (part: PartSize) => (rates === null ? null : deviceSeconds(part, rates));
  const allMinutes = [...budgets.values()].reduce((sum, minutes) => sum + minutes, 0);
  return {
    stages: stages.map((part) => ({
      ...part,
      seconds: secondsOf(part),
      budgetMinutes: budgets.get(part.stage) ?? null,
    })),
    total: { ...total, seconds: secondsOf(total), budgetMinutes: budgets.size === 0 ? null : allMinutes },
  };
}

function refuseUnknownStages({ stages }: Recipe, meanLengths: ReadonlyMap<string, number>): void {
  const known = stages.map(({ stage }) => stage);
  const unknown = [...meanLengths.keys()].find((name) => name !== '*' && !known.includes(name));
  if (unknown === undefined) return;
  throw new InputError(
    `--mean-length ${unknown}: the recipe has no such stage${suggestion(unknown, known) || `; its stages: ${known.join(', ')}`}`,
  );
}

type Found = Omit<RunFacts, 'recipe' | 'meanLength'>;

function factsOf({ recipe, models, prompts, generalDomains, data }: ResolvedLaunch): Found {
  const { tokenizer } = models.base;
  const measured = prompts.prompts.slice(0, MEASURED_PROMPTS);
  const tokens = measured.map(({ problem }) => promptTokens(tokenizer, recipe.prompt_format, problem).length);
  const isHeldOut = ({ split, domain }: (typeof measured)[number]) =>
    split === 'test' && generalDomains.includes(domain);
  return {
    parametersOf: (stage) =>
      parameterCount((modelsByName(models)[modelOf(recipe, stage)] ?? models.base).config),
    promptTokens: tokens.reduce((sum, length) => sum + length, 0) / tokens.length,
    generalHeldOut: prompts.prompts.filter(isHeldOut).length,
    givenExamples: Object.fromEntries(
      Object.entries(data.examples).map(([stage, sets]) => [stage, sets.flat().length]),
    ),
    heldOutPreferences: Object.fromEntries(
      Object.entries(data.preferences).map(([stage, rows]) => [
        stage,
        rows.filter(({ split }) => split === 'test').length,
      ]),
    ),
  };
}

/** The facts that the recipe declares. */
function declared(recipe: Recipe): Found {
  return {
    parametersOf: (stage) => recipe.parameters?.[modelOf(recipe, stage)] ?? 0,
    promptTokens: ASSUMED_PROMPT_TOKENS,
    generalHeldOut: recipe.general_prompts === undefined ? 0 : recipe.evaluation.general_problems,
    givenExamples: {},
    heldOutPreferences: {},
  };
}

/** Tokens per second measured in a run, and the mean response length by stage. */
export interface Measured {
  rates: Rates;
  meanLengths: Map<string, number>;
}

/** Throws InputError where the run has no steps with sampling or training. */
export async function measuredIn(database: Database, name: string): Promise<Measured> {
  const { run } = await findRun(database, name);
  const steps = await listSteps(database, run);
  const sum = (of: (step: (typeof steps)[number]) => number) =>
    steps.reduce((total, step) => total + of(step), 0);
  const rates = {
    sampling: sum(({ tokensSampled }) => tokensSampled) / sum(({ secondsSampling }) => secondsSampling),
    training: sum(({ tokensTrained }) => tokensTrained) / sum(({ secondsTraining }) => secondsTraining),
  };
  if (rates.sampling > 0 && rates.training > 0 && Number.isFinite(rates.sampling + rates.training))
    return { rates, meanLengths: meanLengthsOf(steps) };
  throw new InputError(
    `--rates-of ${name}: expected a run with steps that sampled and trained, found ${steps.length} steps. ` +
      'Name another run, or pass --tokens-per-second and --sampling-tokens-per-second.',
  );
}

function meanLengthsOf(steps: readonly { stage: string; meanLength: number }[]): Map<string, number> {
  const stages = new Set(steps.map(({ stage }) => stage));
  return new Map([...stages].map((stage) => [stage, meanOf(steps.filter((step) => step.stage === stage))]));
}

const meanOf = (steps: readonly { meanLength: number }[]) =>
  steps.reduce((sum, { meanLength }) => sum + meanLength, 0) / steps.length;

type Part = DryRunDocument['stages'][number];

export function dryRunText(run: DryRunDocument): string {
  const parts: Part[] = [...run.stages, { ...run.total, stage: 'all' }];
  return [
    table(workColumns(run), parts),
    table(storeColumns, parts),
    rowsText(run.total),
    limitsText(run.total),
    [lengthsText(run), ratesText(run)].join('\n'),
    'Not counted: what a launch imports (models, prompts, examples, preferences), and work repeated after the loss of a worker.',
    ...run.notes,
    ...missingModelsText(run),
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
  'to S3': ({ s3Bytes }) => size(s3Bytes),
  'at most': ({ s3PeakBytes }) => size(s3PeakBytes),
  'at end': ({ s3FinalBytes }) => size(s3FinalBytes),
  'largest one': ({ largestObject }) => size(largestObject),
  rows: ({ rows }) => String(Object.values(rows).reduce((sum, each) => sum + each, 0)),
  'in Postgres': ({ postgresBytes }) => size(postgresBytes),
  events: ({ history }) => String(history.events),
  histories: ({ history }) => String(history.histories),
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
  if (unknown.length === 0) return 'Responses have the given or measured mean lengths.';
  const of = unknown.length === Object.keys(meanLengths).length ? 'every stage' : unknown.join(', ');
  return `Tokens, bytes and time are upper bounds: each response of ${of} is assumed to reach its limit. Pass --mean-length TOKENS or STAGE=TOKENS.`;
}

/** Device time is given in hours, not in days. */
const timeText = (seconds: number) => (seconds < 3_600 ? duration(seconds) : `${count(seconds / 3_600)} h`);

function ratesText({ rates }: DryRunDocument): string {
  if (rates === null)
    return 'Pass --tokens-per-second and --sampling-tokens-per-second, or --rates-of RUN, to estimate time.';
  return (
    `Time of one device at ${count(rates.sampling)} tokens/s sampled and ${count(rates.training)} tokens/s trained, independent of the ` +
    'model’s size; reading is three times as fast as training.'
  );
}

function missingModelsText({ absent }: DryRunDocument): string[] {
  if (absent.length === 0) return [];
  return [
    `Not found: ${absent.join(', ')}. Estimated with the sizes that the recipe declares (parameters) and prompts of 256 tokens; ` +
      'nothing that the recipe names was checked, and it cannot be launched without them.',
  ];
}
