/** What `r1 eval` measures with: problems, sampling and seed of the run or of a recipe, unless options change them. */

import { promptTokens } from '../../activities/sample-request.ts';
import { heldOutOrAll } from '../../algorithm/data/prompt-row.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import type { EvaluationOptions, SamplingOptions } from '../../contracts/options.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { DrawnPrompt } from '../../contracts/records/schemas.ts';
import {
  countPrompts,
  promptHash,
  readEntries,
  readPrompts,
  trainedAmong,
} from '../../stores/data/prompts.ts';
import type { Queryable } from '../../stores/database/database.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { type Gathered, gatherRows } from '../data/import/gather.ts';
import { findDataFiles } from '../data/import/read-rows.ts';
import { refusalText } from '../data/import-report.ts';
import { readPromptSource } from '../data/prompt-source.ts';
import { InputError } from '../errors.ts';
import { readRecipe } from '../recipe/recipe-file.ts';
import type { Connections } from '../stack/connections.ts';
import type { OpenModel } from './open-model.ts';

export interface MeasureOptions {
  problems?: number;
  k?: number;
  prompts?: string;
  /** domain of `prompts` whose layout names none */
  domain?: string;
  recipe?: string;
  promptFormat?: RunPlan['promptFormat'];
  temperature?: number;
  topP?: number;
  maxTokens?: number;
  seed?: bigint;
  /** also use problems that the run was trained on */
  trainedToo?: boolean;
}

export interface Measure {
  prompts: readonly Omit<DrawnPrompt, 'slot'>[];
  /** entries by the hash of their prompt */
  entries: ReadonlyMap<string, unknown>;
  promptFormat: RunPlan['promptFormat'];
  /** domains without reasoning, measured separately */
  generalDomains: readonly string[];
  /** target language of chains of thought */
  language: EvaluationOptions['language'];
  /** samples per problem */
  k: number;
  sampling: SamplingOptions;
  /** with the seed, prompts and options of a run, the samples are those of its evaluation */
  runSeed: bigint;
  /** problems that are sampled at a time; as the run cuts them */
  shardSize: number;
  /** rows of a file that were left out, for display */
  notes: readonly string[];
}

type Problems = Pick<Measure, 'prompts' | 'entries'>;
type Database = Pick<Connections, 'database'>;

interface Choice {
  /** the first `count` held-out problems */
  problems(count: number): Promise<Problems>;
  available: number;
  notes: readonly string[];
}

/** The defaults, before options change them. */
interface Defaults extends Choice {
  evaluation: EvaluationOptions;
  promptFormat: RunPlan['promptFormat'];
  runSeed: bigint;
  generalDomains: readonly string[];
}

/** Throws InputError where nothing names the problems, or where there are too few. */
export async function chooseMeasure(
  opened: OpenModel,
  connections: Database,
  options: MeasureOptions,
): Promise<Measure> {
  const defaults = await defaultsFor(opened, connections, options);
  const { evaluation } = defaults;
  const count = options.problems ?? Math.min(evaluation.problems, defaults.available);
  if (count > defaults.available) {
    throw new InputError(`--problems ${count}: expected at most ${defaults.available}, which are held out`);
  }
  const measure: Measure = {
    ...(await defaults.problems(count)),
    notes: defaults.notes,
    promptFormat: options.promptFormat ?? defaults.promptFormat,
    k: options.k ?? evaluation.k,
    sampling: {
      temperature: options.temperature ?? evaluation.temperature,
      top_p: options.topP ?? evaluation.top_p,
      top_k: evaluation.top_k,
      max_completion_length: options.maxTokens ?? evaluation.max_completion_length,
    },
    runSeed: options.seed ?? defaults.runSeed,
    generalDomains: defaults.generalDomains,
    language: evaluation.language,
    shardSize: shardSizeOf(evaluation) ?? count,
  };
  refuseLong(opened, measure);
  return measure;
}

/** Runs of an earlier release do not name it: all problems are one shard. */
const shardSizeOf = ({ shard_size: size }: Partial<Pick<EvaluationOptions, 'shard_size'>>) => size;

/** Problem and answer must fit the positions of the model. */
function refuseLong({ name, model: { tokenizer, config } }: OpenModel, measure: Measure): void {
  const positions = config.max_position_embeddings;
  const completion = measure.sampling.max_completion_length;
  for (const { problem } of measure.prompts) {
    const { length } = promptTokens(tokenizer, measure.promptFormat, problem);
    if (length + completion <= positions) continue;
    throw new InputError(
      `${JSON.stringify(problem.slice(0, 60))}: expected the problem and --max-tokens within the ${positions} positions of ` +
        `${name}, found ${length} + ${completion}. Lower --max-tokens, or leave the problem out.`,
    );
  }
}

async function defaultsFor(
  opened: OpenModel,
  connections: Database,
  { recipe, prompts, domain, trainedToo = false }: MeasureOptions,
): Promise<Defaults> {
  const defaults =
    recipe !== undefined
      ? await ofRecipe(recipe, connections)
      : opened.origin !== null
        ? await ofRun(opened.origin, connections)
        : ofFolder(opened, prompts);
  if (prompts === undefined) return defaults;
  const { problems, notes } = await readBenchmark(prompts, domain);
  if (opened.origin !== null && !trainedToo)
    await refuseTrainedOn(opened.origin.run, problems, await connections.database());
  return { ...defaults, ...among(problems), notes };
}

/** Problems that a run was trained on would measure memory. */
async function refuseTrainedOn(
  run: string,
  measured: readonly ImportedPrompt[],
  reader: Queryable,
): Promise<void> {
  const { plan } = await getRun(reader, run);
  const trained = await trainedAmong(
    reader,
    plan.promptSet,
    measured.map(({ hash }) => hash),
  );
  const [first] = measured.filter(({ hash }) => trained.has(hash));
  if (first === undefined) return;
  throw new InputError(
    `${first.source} line ${first.line}: expected a problem that ${run} was not trained on, found one of its training prompts ` +
      `(${trained.size} of ${measured.length} problems are). Leave them out, or pass --trained-too.`,
  );
}

async function ofRecipe(path: string, { database }: Database): Promise<Defaults> {
  const { recipe, folder } = await readRecipe(path);
  const { prompts } = await readPromptSource(recipe.prompts, { folder, database });
  return {
    ...among(prompts.filter(({ split }) => split === 'test')),
    evaluation: recipe.evaluation,
    promptFormat: recipe.prompt_format,
    runSeed: BigInt(recipe.seed),
    generalDomains: [],
  };
}

async function ofRun(
  { run, stage }: { run: string; stage: string },
  { database }: Database,
): Promise<Defaults> {
  const reader = await database();
  const { plan } = await getRun(reader, run);
  const staged = plan.stages.find((each) => each.stage === stage);
  if (staged === undefined) throw new InputError(`${run}: expected a stage ${stage} in its plan, found none`);
  const ordinals = (count: number) => Array.from({ length: count }, (_, ordinal) => ordinal);
  return {
    problems: async (count) => {
      const prompts = await readPrompts(reader, plan.promptSet, 'test', ordinals(count));
      const hashes = prompts.map(({ prompt }) => prompt);
      return { prompts, entries: await readEntries(reader, hashes) };
    },
    available: await countPrompts(reader, plan.promptSet, 'test'),
    notes: [],
    evaluation: staged.evaluation,
    promptFormat: plan.promptFormat,
    runSeed: BigInt(plan.seed),
    generalDomains: plan.generalDomains,
  };
}

/** Defaults for a model's folder. */
const DEFAULT_EVALUATION = {
  problems: Number.MAX_SAFE_INTEGER,
  k: 16,
  temperature: 0.6,
  top_p: 0.95,
  top_k: 0,
  quick_problems: 1,
  quick_k: 1,
  shard_size: 64,
  general_problems: 1,
};
const DEFAULT_TOKENS = 512;

function ofFolder({ name, model }: OpenModel, prompts: string | undefined): Defaults {
  if (prompts === undefined) {
    throw new InputError(
      `${name}: expected --prompts FILE or --recipe FILE, found neither: a model’s folder does not say which problems are held out`,
    );
  }
  // Half of the positions are left for the prompt.
  const longest = Math.min(DEFAULT_TOKENS, Math.floor(model.config.max_position_embeddings / 2));
  return {
    ...among([]),
    evaluation: { ...DEFAULT_EVALUATION, max_completion_length: longest },
    promptFormat: 'chat',
    runSeed: 0n,
    generalDomains: [],
  };
}

function among(prompts: readonly ImportedPrompt[]): Choice {
  const drawn = prompts.map((row) => {
    const { problem, answer, domain, entry } = row;
    return { prompt: promptHash(row), problem, answer, domain, entry };
  });
  return {
    available: drawn.length,
    notes: [],
    problems: async (count) => ({
      prompts: drawn.slice(0, count).map(({ entry: _, ...prompt }) => prompt),
      entries: new Map(drawn.flatMap(({ prompt, entry }) => (entry === undefined ? [] : [[prompt, entry]]))),
    }),
  };
}

interface Benchmark {
  /** held-out problems, or all where none is held out */
  problems: readonly ImportedPrompt[];
  /** how the file was read, for display */
  notes: string[];
}

/**
 * The problems of a file or folder in any supported layout; `domain` is for layouts that name none. A benchmark is
 * used whole or not at all: throws InputError (or Failure 'InvalidInput') for the first row that cannot be read.
 */
async function readBenchmark(path: string, domain?: string): Promise<Benchmark> {
  const gathered = await gatherRows(await findDataFiles([path]), { domain });
  refuseUnread(path, gathered);
  const problems = heldOutOrAll(gathered.prompts);
  return { problems, notes: notesOn(gathered, problems) };
}

function refuseUnread(path: string, { kind, refused: [first] }: Gathered): void {
  if (kind !== 'prompts')
    throw new InputError(`${path}: expected problems with answers to measure with, found ${kind}`);
  if (first !== undefined) throw new InputError(`${refusalText(first)}. Correct the row, or leave it out.`);
}

function notesOn({ files, duplicates }: Gathered, problems: readonly ImportedPrompt[]): string[] {
  const domains = [...new Set(problems.map(({ domain }) => domain))].sort().join(', ');
  return [
    ...files.map(({ path, layout, rows }) => `${path}: ${rows} rows, read as ${layout}`),
    ...(duplicates > 0 ? [`rows that repeat an earlier one, left out: ${duplicates}`] : []),
    `${problems.length} problems, judged as ${domains}`,
  ];
}
