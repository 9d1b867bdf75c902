/** Checks of examples and preferences: each function returns the first row that its stage cannot or must not train on. */
import { createHash } from 'node:crypto';
import { exampleTokens } from '../../activities/orchestrator/examples/example-tokens.ts';
import { rewardModelTokens } from '../../activities/orchestrator/examples/reward-model-tokens.ts';
import { normalizeProblem } from '../../algorithm/data/prompt-row.ts';
import type { NewExample } from '../../contracts/datasets.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { NewPreference } from '../../stores/data/preferences.ts';
import { modelOf, modelsByName } from './check-models.ts';
import { heldOutByHash } from './check-prompts.ts';
import { objectiveOf, type ResolvedLaunch } from './resolve.ts';

/** A held-out problem must not be imitated. */
export function heldOutExamples(resolved: ResolvedLaunch): string[] {
  const heldOut = heldOutByHash(resolved.prompts.prompts);
  return firstProblem(rowsOf(resolved, 'sft'), ({ row: { problem, source, line } }) => {
    const measured = heldOut.get(createHash('sha256').update(normalizeProblem(problem)).digest('hex'));
    if (measured === undefined) return null;
    return (
      `${source} line ${line}: problem: expected one that is not measured, found the held-out one of ${measured.source} ` +
      `line ${measured.line}. Leave the example out, or choose other held-out prompts.`
    );
  });
}

/** A response with text that the tokenizer has no tokens for. */
export const unknownCharacters = (resolved: ResolvedLaunch) =>
  firstProblem(rowsOf(resolved, 'sft'), ({ row: { response, source, line }, stage, tokenizer }) => {
    const unknown = tokenizer.unknownIn(response);
    if (unknown === null) return null;
    return (
      `${source} line ${line}: response: expected text that the tokenizer of ${stage} has tokens for, found none for ` +
      `${JSON.stringify(unknown)}. Rewrite it, or leave the example out.`
    );
  });

export const longExamples = (resolved: ResolvedLaunch) =>
  firstProblem(rowsOf(resolved, 'sft'), ({ row, stage, tokenizer, maxLength }) => {
    if (isSurelyShort(row.problem + row.response, maxLength)) return null;
    const { prompt_format } = resolved.recipe;
    const { prompt, completion } = exampleTokens(tokenizer, prompt_format, row.problem, row.response);
    return lengthProblem(row, stage, prompt.length + completion.length, maxLength);
  });

export const longPreferences = (resolved: ResolvedLaunch) =>
  firstProblem(rowsOf(resolved, 'reward-model'), ({ row, stage, tokenizer, maxLength }) => {
    const judgedFor = objectiveOf(stage) === 'pairwise' ? 'helpfulness' : 'safety';
    const responses = row.kind === 'pair' ? [row.chosen, row.rejected] : [row.response];
    const lengths = responses.map((response) => {
      if (isSurelyShort(row.prompt + response, maxLength)) return 0;
      const answer = { judgedFor, problem: row.prompt, response } as const;
      const { prompt, completion } = rewardModelTokens(tokenizer, resolved.recipe.prompt_format, answer);
      return prompt.length + completion.length;
    });
    return lengthProblem(row, stage, Math.max(...lengths), maxLength);
  });

/** A row of a stage's data, with what it is checked against. */
interface StageRow<Row> {
  row: Row;
  stage: string;
  tokenizer: Tokenizer;
  maxLength: number;
}

/** The examples of supervised stages, or the preferences of reward models, in the recipe's order. */
function rowsOf(resolved: ResolvedLaunch, algorithm: 'sft'): Generator<StageRow<NewExample>>;
function rowsOf(resolved: ResolvedLaunch, algorithm: 'reward-model'): Generator<StageRow<NewPreference>>;
function* rowsOf(
  { recipe, models, data }: ResolvedLaunch,
  algorithm: 'sft' | 'reward-model',
): Generator<StageRow<NewExample | NewPreference>> {
  for (const { stage, algorithm: trainedBy, options } of recipe.stages) {
    const tokenizer = modelsByName(models)[modelOf(recipe, stage)]?.tokenizer;
    if (trainedBy === 'grpo' || trainedBy !== algorithm || tokenizer === undefined) continue;
    const rows = algorithm === 'sft' ? (data.examples[stage] ?? []).flat() : (data.preferences[stage] ?? []);
    for (const row of rows) yield { row, stage, tokenizer, maxLength: options.max_length };
  }
}

function firstProblem<Row>(rows: Iterable<Row>, problemOf: (row: Row) => string | null): string[] {
  for (const row of rows) {
    const problem = problemOf(row);
    if (problem !== null) return [problem];
  }
  return [];
}

/** More tokens than a chat template adds. */
const TEMPLATE_TOKENS = 1024;

/** Whether a text fits without being tokenized: no tokenizer makes more tokens of a text than it has bytes. */
const isSurelyShort = (text: string, most: number) => Buffer.byteLength(text) + TEMPLATE_TOKENS <= most;

function lengthProblem(
  { source, line }: { source: string; line: number },
  stage: string,
  tokens: number,
  most: number,
): string | null {
  if (tokens <= most) return null;
  return `${source} line ${line}: ${stage}: expected at most ${most} tokens (max_length), found ${tokens} with its prompt. Raise max_length, or leave the row out.`;
}
