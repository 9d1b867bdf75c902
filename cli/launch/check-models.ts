/** Checks of models: each function returns the problems that keep a model from reading prompts or writing answers. */
import { promptText, promptTokens } from '../../activities/sample-request.ts';
import { longestCompletion } from '../../algorithm/rl/schedules.ts';
import { originOf, type Recipe, type StageRecipe } from '../../contracts/recipe.ts';
import { suffixOf } from '../../contracts/stage-name.ts';
import { TokenizerError } from '../../engine/tokenizer/tokenizer-files.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import { InputError } from '../errors.ts';
import type { Models, WithModels } from './resolve.ts';

/** The base under `base`, students under their names. */
export const modelsByName = ({ base, students }: Models): Record<string, ModelFolder> => ({
  base,
  ...students,
});

/** The name of the model that a stage starts from, directly or through earlier stages. */
export function modelOf(recipe: Recipe, stage: string): string {
  const found = recipe.stages.find((candidate) => candidate.stage === stage);
  const origin = found === undefined ? 'base' : originOf(found);
  if (origin.startsWith('student/')) return suffixOf(origin) ?? origin;
  return origin === 'base' ? origin : modelOf(recipe, origin);
}

/** A model of the run, and how messages call it. */
interface NamedModel extends ModelFolder {
  name: string;
  what: string;
}

const namedModels = ({ recipe, models }: WithModels): NamedModel[] =>
  Object.entries(modelsByName(models)).map(([name, model]) => ({
    ...model,
    name,
    what: name === 'base' ? `base ${recipe.base}` : `student ${name} (${recipe.students[name]})`,
  }));

export function missingTemplate(resolved: WithModels): string[] {
  if (resolved.recipe.prompt_format === 'text') return [];
  return namedModels(resolved)
    .filter(({ tokenizer }) => !tokenizer.hasChatTemplate)
    .map(
      ({ what }) =>
        `${what}: expected a tokenizer with a chat template (chat_template in tokenizer_config.json, or chat_template.jinja), found none. ` +
        'Add the template, or set prompt_format: text.',
    );
}

/** The tags of R1's form: without tokens for them no answer is ever well-formed. */
const TAGS = ['<think>', '</think>', '<answer>', '</answer>'];

export function unknownTokens(resolved: WithModels): string[] {
  return namedModels(resolved).flatMap(({ what, tokenizer }) => {
    // A question of one digit: everything else is the template's own text.
    const template = withTemplate(what, () => promptText(tokenizer, resolved.recipe.prompt_format, '1'));
    const written = { 'what its chat template writes': [template], 'the tags of answers': TAGS };
    return Object.entries(written).flatMap(([of, texts]) => {
      const unknown = texts.map((text) => tokenizer.unknownIn(text)).find((word) => word !== null);
      if (unknown === undefined) return [];
      return [
        `${what}: expected a tokenizer that has tokens for ${of}, found none for ${JSON.stringify(unknown)}, which it would ` +
          'read as the unknown token. Add the tokens to tokenizer.json, or use the tokenizer and template that belong together.',
      ];
    });
  });
}

/** Applies a chat template. Throws InputError that names the model where the template fails. */
function withTemplate<T>(what: string, apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new InputError(
      `${what}: expected a chat template that writes a user’s message with the tokens of tokenizer_config.json, found: ` +
        `${error.message}. Correct the template, or set prompt_format: text.`,
    );
  }
}

/** Of each model, the first prompt that leaves no positions for the longest completion. */
export function longPrompts(resolved: WithModels): string[] {
  const { recipe, prompts } = resolved;
  return namedModels(resolved).flatMap(({ name, what, tokenizer, config }) => {
    const positions = config.max_position_embeddings;
    const completion = mostSampledTokens(recipe, name);
    for (const { problem, source, line } of prompts.prompts) {
      const { length } = withTemplate(what, () => promptTokens(tokenizer, recipe.prompt_format, problem));
      if (length + completion > positions)
        return [
          `${source} line ${line}: expected prompt and max_completion_length within the ${positions} positions of ${what}, ` +
            `found ${length} + ${completion}. Lower max_completion_length, or leave the prompt out.`,
        ];
    }
    return [];
  });
}

/** The most tokens of a completion that any stage or evaluation samples from this model. */
function mostSampledTokens(recipe: Recipe, name: string): number {
  const own = recipe.stages.flatMap(completionsOf).filter(({ stage }) => modelOf(recipe, stage) === name);
  return Math.max(recipe.evaluation.max_completion_length, ...own.map(({ tokens }) => tokens));
}

/** Completions that a stage requests, and the stage whose policy samples them. */
function completionsOf(recipe: StageRecipe): { stage: string; tokens: number }[] {
  if (recipe.algorithm === 'grpo')
    return [{ stage: recipe.stage, tokens: longestCompletion(recipe.options) }];
  if (recipe.algorithm === 'reward-model') return [];
  return recipe.data.flatMap((source) =>
    source.source === 'sampled' ? [{ stage: source.policy, tokens: source.max_completion_length }] : [],
  );
}

/** Stages whose `max_length` exceeds the positions of their model. */
export function longSequences(resolved: WithModels): string[] {
  const { recipe } = resolved;
  return namedModels(resolved).flatMap(({ name, what, config: { max_position_embeddings: positions } }) =>
    recipe.stages.flatMap(({ stage, algorithm, options }) => {
      if (algorithm === 'grpo' || modelOf(recipe, stage) !== name || options.max_length <= positions)
        return [];
      return [
        `${stage}: expected a max_length within the ${positions} positions of ${what}, found ${options.max_length}. Lower it.`,
      ];
    }),
  );
}
