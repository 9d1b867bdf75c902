/** Examples and preferences that a stage could not or must not train on, told before anything is written. */
import { createHash } from 'node:crypto';
import { exampleTokens } from '../../activities/orchestrator/examples/example-tokens.ts';
import { rewardModelTokens } from '../../activities/orchestrator/examples/reward-model-tokens.ts';
import { normalizeProblem } from '../../algorithm/data/prompt-row.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import type { NewExample } from '../../contracts/datasets.ts';
import type { Recipe, RewardModelStageRecipe, SupervisedStageRecipe } from '../../contracts/recipe.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { NewPreference } from '../../stores/data/preferences.ts';
import { InputError } from '../errors.ts';
import type { LaunchData } from './launch-data.ts';
import { type Models, modelOf } from './refuse-models.ts';
import { heldOutByHash } from './refuse-prompts.ts';
import { objectiveOf } from './run-plan.ts';

interface Beside {
  models: Models;
  prompts: readonly ImportedPrompt[];
}

/** Throws InputError naming file and line. */
export function refuseUnfitData(recipe: Recipe, data: LaunchData, { models, prompts }: Beside): void {
  const heldOut = heldOutByHash(prompts);
  for (const stage of recipe.stages) {
    const tokenizer = models[modelOf(recipe, stage.stage)]?.tokenizer;
    if (stage.algorithm === 'grpo' || tokenizer === undefined) continue;
    const reader = { recipe, tokenizer };
    if (stage.algorithm === 'reward-model') {
      for (const row of data.preferences[stage.stage] ?? []) refusePreference(row, stage, reader);
      continue;
    }
    for (const row of (data.examples[stage.stage] ?? []).flat()) {
      refuseHeldOut(row, heldOut);
      refuseExample(row, stage, reader);
    }
  }
}

/** A problem that is measured must not be imitated. */
function refuseHeldOut(
  { problem, source, line }: NewExample,
  heldOut: ReadonlyMap<string, ImportedPrompt>,
): void {
  const measured = heldOut.get(createHash('sha256').update(normalizeProblem(problem)).digest('hex'));
  if (measured === undefined) return;
  throw new InputError(
    `${source} line ${line}: problem: expected one that is not measured, found the held-out one of ${measured.source} ` +
      `line ${measured.line}. Leave the example out, or choose other held-out prompts.`,
  );
}

interface Reader {
  recipe: Recipe;
  tokenizer: Tokenizer;
}

function refuseExample(
  { problem, response, source, line }: NewExample,
  { stage, options }: SupervisedStageRecipe,
  { recipe: { prompt_format }, tokenizer }: Reader,
): void {
  const place = `${source} line ${line}`;
  const unknown = tokenizer.unknownIn(response);
  if (unknown !== null) {
    throw new InputError(
      `${place}: response: expected text that the tokenizer of ${stage} has tokens for, found none for ` +
        `${JSON.stringify(unknown)}. Write it otherwise, or leave the example out.`,
    );
  }
  if (isSurelyShort(problem + response, options.max_length)) return;
  const { prompt, completion } = exampleTokens(tokenizer, prompt_format, problem, response);
  refuseLong(`${place}: ${stage}`, prompt.length + completion.length, options.max_length);
}

function refusePreference(
  row: NewPreference,
  { stage, options }: RewardModelStageRecipe,
  { recipe: { prompt_format }, tokenizer }: Reader,
): void {
  const judgedFor = objectiveOf(stage) === 'pairwise' ? 'helpfulness' : 'safety';
  const responses = row.kind === 'pair' ? [row.chosen, row.rejected] : [row.response];
  for (const response of responses) {
    if (isSurelyShort(row.prompt + response, options.max_length)) continue;
    const answer = { judgedFor, problem: row.prompt, response } as const;
    const { prompt, completion } = rewardModelTokens(tokenizer, prompt_format, answer);
    const tokens = prompt.length + completion.length;
    refuseLong(`${row.source} line ${row.line}: ${stage}`, tokens, options.max_length);
  }
}

/** What a template may add, generously. */
const TEMPLATE_TOKENS = 1024;

/** Whether a text need not be tokenised to be known to fit: no tokenizer makes more tokens of it than it has bytes. */
const isSurelyShort = (text: string, most: number) => Buffer.byteLength(text) + TEMPLATE_TOKENS <= most;

function refuseLong(place: string, tokens: number, most: number): void {
  if (tokens <= most) return;
  throw new InputError(
    `${place}: expected at most ${most} tokens (max_length), found ${tokens} with its prompt. Raise max_length, or leave it out.`,
  );
}
