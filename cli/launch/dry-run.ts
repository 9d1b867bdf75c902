/** What a launch would do: `r1 launch --dry-run`. */
import { promptTokens } from '../../activities/sample-request.ts';
import {
  deviceSeconds,
  type PartSize,
  type Rates,
  type RunSize,
  runSize,
} from '../../algorithm/plan/run-size.ts';
import type { RunFacts } from '../../algorithm/plan/stage-segments.ts';
import type { DryRunDocument } from '../../contracts/documents.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { parameterCount } from '../../engine/model/architecture.ts';
import { InputError } from '../errors.ts';
import type { Connections } from '../stack/connections.ts';
import { suggestion } from '../suggestion.ts';
import { type CheckedLaunch, checkLaunch } from './launch-run.ts';
import { absentModels, absentText, refuseAbsent } from './named-models.ts';
import { budgetsOf } from './plan-view.ts';
import type { RecipeFile } from './recipe-file.ts';
import { notesOnRecipe } from './recipe-notes.ts';
import { type Models, modelOf } from './refuse-models.ts';

export interface DryRunOptions {
  rates: Rates | null;
  /** tokens of a response by stage; `*` for every other stage */
  meanLengths: ReadonlyMap<string, number>;
  /** by stage of another run, where none is given */
  measuredLengths: ReadonlyMap<string, number>;
}

/** Where no prompt and no tokenizer is at hand. */
const USUAL_PROMPT_TOKENS = 256;
/** Prompts that tokens are counted on. */
const MEASURED_PROMPTS = 500;

/**
 * Checks a recipe as a launch does, and counts what a run of it would do; writes nothing. A recipe that says how large
 * its models are is counted without them too, and then nothing else that it names is looked for.
 */
export async function dryRun(
  file: RecipeFile,
  connections: Pick<Connections, 'database' | 'objects'>,
  { rates, meanLengths, measuredLengths }: DryRunOptions,
): Promise<DryRunDocument> {
  const { recipe, folder, at } = file;
  refuseUnknownStages(recipe, meanLengths);
  const absent = await absentModels(recipe, folder, at);
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

/** What was counted, with its time and its budget. */
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

function factsOf({ recipe, model, students, prompts, generalDomains, data }: CheckedLaunch): Found {
  const models: Models = { base: model, ...students };
  const { tokenizer } = model;
  const measured = prompts.prompts.slice(0, MEASURED_PROMPTS);
  const tokens = measured.map(({ problem }) => promptTokens(tokenizer, recipe.prompt_format, problem).length);
  const isHeldOut = ({ split, domain }: (typeof measured)[number]) =>
    split === 'test' && generalDomains.includes(domain);
  return {
    parametersOf: (stage) => parameterCount((models[modelOf(recipe, stage)] ?? model).config),
    promptTokens: tokens.reduce((sum, length) => sum + length, 0) / tokens.length,
    generalHeldOut: prompts.prompts.filter(isHeldOut).length,
    givenExamples: Object.fromEntries(
      Object.entries(data.examples).map(([stage, sets]) => [stage, sets.flat().length]),
    ),
  };
}

/** What the recipe itself says. */
function declared(recipe: Recipe): Found {
  return {
    parametersOf: (stage) => recipe.parameters?.[modelOf(recipe, stage)] ?? 0,
    promptTokens: USUAL_PROMPT_TOKENS,
    generalHeldOut: recipe.general_prompts === undefined ? 0 : recipe.evaluation.general_problems,
    givenExamples: {},
  };
}
