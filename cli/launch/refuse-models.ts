/** Models that cannot read a recipe's prompts or write its answers, told before anything is written. */
import { promptText, promptTokens } from '../../activities/sample-request.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { longestCompletion } from '../../algorithm/rl/schedules.ts';
import { originOf, type Recipe, type StageRecipe } from '../../contracts/recipe.ts';
import { suffixOf } from '../../contracts/stage-name.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { TokenizerError } from '../../engine/tokenizer/tokenizer-files.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import { InputError } from '../errors.ts';

/** The base under `base`, students under their names. */
export type Models = Readonly<Record<string, ModelFolder>>;

/** Every model of the run must read its prompts, write its form, and have positions for prompt and completion. */
export function refuseUnfitModels(recipe: Recipe, prompts: readonly ImportedPrompt[], models: Models): void {
  for (const [name, model] of Object.entries(models)) {
    const what = name === 'base' ? `base ${recipe.base}` : `student ${name} (${recipe.students[name]})`;
    refuseWithoutTemplate(what, recipe, model.tokenizer);
    refuseUnknownTokens(what, recipe, model.tokenizer);
    refuseLongCompletions(what, recipe, prompts, { name, model });
    refuseLongSequences(what, recipe, { name, model });
  }
}

/** By which model's tokenizer and shape a stage goes: its line of stages leads back to it. */
export function modelOf(recipe: Recipe, stage: string): string {
  const found = recipe.stages.find((candidate) => candidate.stage === stage);
  const origin = found === undefined ? 'base' : originOf(found);
  if (origin.startsWith('student/')) return suffixOf(origin) ?? origin;
  return origin === 'base' ? origin : modelOf(recipe, origin);
}

function refuseWithoutTemplate(what: string, { prompt_format }: Recipe, tokenizer: Tokenizer): void {
  if (prompt_format === 'text' || tokenizer.hasChatTemplate) return;
  throw new InputError(
    `${what}: expected a tokenizer with a chat template (chat_template in tokenizer_config.json, or chat_template.jinja), found none. ` +
      'Add the template, or set prompt_format: text.',
  );
}

/** The tags of R1's form; without tokens for them no answer is ever well-formed. */
const TAGS = ['<think>', '</think>', '<answer>', '</answer>'];

function refuseUnknownTokens(what: string, { prompt_format }: Recipe, tokenizer: Tokenizer): void {
  // A question of one digit: all else is the template's own text.
  const template = asRead(what, () => promptText(tokenizer, prompt_format, '1'));
  const written = { 'what its chat template writes': [template], 'the tags of answers': TAGS };
  for (const [of, texts] of Object.entries(written)) {
    const unknown = texts.map((text) => tokenizer.unknownIn(text)).find((word) => word !== null);
    if (unknown === undefined) continue;
    throw new InputError(
      `${what}: expected a tokenizer that has tokens for ${of}, found none for ${JSON.stringify(unknown)}, which it would ` +
        'read as the unknown token. Add the tokens to tokenizer.json, or take the tokenizer and template that belong together.',
    );
  }
}

/** What a model's tokenizer makes of a problem. Throws InputError naming the model where its template fails. */
function asRead<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new InputError(
      `${what}: expected a chat template that writes a user’s message with the tokens of tokenizer_config.json, found: ` +
        `${error.message}. Mend the template, or set prompt_format: text.`,
    );
  }
}

/** Tokens that this model is asked to sample at most. */
function longestAsked({ evaluation, ...recipe }: Recipe, name: string): number {
  const asked = recipe.stages.flatMap((stage) => completionsOf(stage));
  const own = asked.filter(({ stage }) => modelOf({ evaluation, ...recipe }, stage) === name);
  return Math.max(evaluation.max_completion_length, ...own.map(({ tokens }) => tokens));
}

/** Completions that a stage asks for, and the stage whose policy samples them. */
function completionsOf(recipe: StageRecipe): { stage: string; tokens: number }[] {
  if (recipe.algorithm === 'grpo')
    return [{ stage: recipe.stage, tokens: longestCompletion(recipe.options) }];
  if (recipe.algorithm === 'reward-model') return [];
  return recipe.data.flatMap((source) =>
    source.source === 'sampled' ? [{ stage: source.policy, tokens: source.max_completion_length }] : [],
  );
}

interface Named {
  name: string;
  model: ModelFolder;
}

function refuseLongCompletions(
  what: string,
  recipe: Recipe,
  prompts: readonly ImportedPrompt[],
  { name, model: { tokenizer, config } }: Named,
): void {
  const positions = config.max_position_embeddings;
  const completion = longestAsked(recipe, name);
  for (const { problem, source, line } of prompts) {
    const { length } = asRead(what, () => promptTokens(tokenizer, recipe.prompt_format, problem));
    if (length + completion <= positions) continue;
    throw new InputError(
      `${source} line ${line}: expected prompt and max_completion_length within the ${positions} positions of ${what}, ` +
        `found ${length} + ${completion}. Shorten max_completion_length, or leave the prompt out.`,
    );
  }
}

function refuseLongSequences(what: string, recipe: Recipe, { name, model }: Named): void {
  const positions = model.config.max_position_embeddings;
  for (const { stage, algorithm, options } of recipe.stages) {
    if (algorithm === 'grpo' || modelOf(recipe, stage) !== name) continue;
    if (options.max_length <= positions) continue;
    throw new InputError(
      `${stage}: expected a max_length within the ${positions} positions of ${what}, found ${options.max_length}. Shorten it.`,
    );
  }
}
