/** Rules by which a stage keeps samples, where it is known before anything is sampled that they keep none. */
import {
  indexEvaluations,
  sampledIndices,
  sharedWithEvaluation,
} from '../../algorithm/data/decontamination.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import type { Recipe, SupervisedStageRecipe } from '../../contracts/recipe.ts';
import { InputError } from '../errors.ts';

/** Throws InputError naming stage, rule and an example. */
export function refuseSelection(
  { stages }: Recipe,
  prompts: readonly ImportedPrompt[],
  generalDomains: readonly string[],
): void {
  for (const stage of stages) {
    if (stage.algorithm !== 'sft' || sampledBy(stage).length === 0) continue;
    refuseUnreachable(stage);
    if (stage.keep.decontaminate) refuseContaminated(stage, prompts, generalDomains);
  }
}

const sampledBy = ({ data }: SupervisedStageRecipe) =>
  data.flatMap((source) => (source.source === 'sampled' ? [source] : []));

/** A word is at least one token. */
function refuseUnreachable(stage: SupervisedStageRecipe): void {
  const { min_thinking_words, max_tokens } = stage.keep;
  const longest = Math.max(...sampledBy(stage).map((source) => source.max_completion_length));
  const tokens = Math.min(longest, max_tokens ?? longest);
  if (min_thinking_words <= tokens) return;
  throw new InputError(
    `${stage.stage}: keep.min_thinking_words: expected at most as many as a sample has tokens (${tokens}), found ` +
      `${min_thinking_words}. This rule keeps no sample: ask for fewer words, or allow more tokens.`,
  );
}

/** Samples answer training prompts: where each of these shares with a held-out one, each sample is refused. */
function refuseContaminated(
  stage: SupervisedStageRecipe,
  prompts: readonly ImportedPrompt[],
  generalDomains: readonly string[],
): void {
  const train = prompts.filter(({ split }) => split === 'train');
  const heldOut = prompts.filter(({ split }) => split === 'test');
  const index = indexEvaluations(
    heldOut.map(({ problem }) => problem),
    { learned: sampledIndices(train.length).map((place) => [train[place]?.problem ?? '']) },
  );
  const drawn = train.filter(({ domain }) =>
    sampledBy(stage).some(({ domain_weights: weights }) =>
      weights === undefined ? !generalDomains.includes(domain) : (weights[domain] ?? 0) > 0,
    ),
  );
  const [first] = drawn;
  const shared = first === undefined ? null : sharedWithEvaluation(index, first.problem);
  if (first === undefined || shared === null) return;
  if (drawn.some(({ problem }) => sharedWithEvaluation(index, problem) === null)) return;
  throw new InputError(
    `${stage.stage}: keep.decontaminate: expected training prompts that share nothing with held-out ones, found that all ` +
      `${drawn.length} do: ${first.source} line ${first.line} shares ${JSON.stringify(shared.slice(0, 80))}. ` +
      'This rule keeps no sample: hold out other prompts, or set keep.decontaminate to false.',
  );
}
