/** Checks of prompts: each function returns the problems that keep a run from training on them or measuring with them. */
import {
  type EvaluationIndex,
  indexEvaluations,
  sampledIndices,
  sharedWithEvaluation,
} from '../../algorithm/data/decontamination.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import type { DomainWeights } from '../../contracts/options.ts';
import type { Recipe, StageRecipe, SupervisedStageRecipe } from '../../contracts/recipe.ts';
import type { Path } from '../recipe/schema-keys.ts';
import type { WithPrompts } from './resolve.ts';

/** Reasoning prompts: some to train on, and as many held out as evaluations need. */
export function missingPrompts({ recipe, reasoning, at }: WithPrompts): string[] {
  const heldOut = reasoning.filter(({ split }) => split === 'test').length;
  if (heldOut === reasoning.length)
    return [`${at(['prompts'])}prompts: expected some to train on, found only held-out ones (split "test")`];
  return problemsAsked(recipe)
    .filter(([, asked]) => asked > heldOut)
    .map(
      ([key, asked]) =>
        `${at(['evaluation', key])}evaluation: expected at most as many problems as prompts are held out (${heldOut}), ` +
        `found ${asked}. Hold out more (prompts.test, rows with "split": "test"), or set evaluation.${key}.`,
    );
}

/** Only stages with `eval_steps` make quick evaluations. */
function problemsAsked({ evaluation, stages }: Recipe): ['problems' | 'quick_problems', number][] {
  const quick = stages.some(({ options }) => 'eval_steps' in options && options.eval_steps > 0);
  return [
    ['problems', evaluation.problems],
    ...(quick ? ([['quick_problems', evaluation.quick_problems]] as ['quick_problems', number][]) : []),
  ];
}

/** Held-out problems by the hash of their normalised text. */
export const heldOutByHash = (prompts: readonly ImportedPrompt[]): ReadonlyMap<string, ImportedPrompt> =>
  new Map(prompts.flatMap((prompt) => (prompt.split === 'test' ? [[prompt.hash, prompt]] : [])));

/** Reasoning and general prompts come from separate sources: a problem held out in one may be trained on in the other. */
export function sharedProblems({ prompts: { prompts } }: WithPrompts): string[] {
  const heldOut = heldOutByHash(prompts);
  for (const { split, hash, source, line } of prompts) {
    const measured = split === 'train' ? heldOut.get(hash) : undefined;
    if (measured !== undefined)
      return [
        `${source} line ${line}: expected a problem that is not held out, found that of ${measured.source} line ${measured.line}. ` +
          'Leave it out of one of the two.',
      ];
  }
  return [];
}

/** Every domain that a stage names needs training prompts, and every order of prompts needs a domain to draw from. */
export function unknownDomains({ recipe, prompts: { prompts }, at }: WithPrompts): string[] {
  const train = prompts.filter(({ split }) => split === 'train').map(({ domain }) => domain);
  const known = [...new Set(train)];
  return recipe.stages.flatMap((stage, index) =>
    domainsOf(stage).flatMap(({ key, path, domains, weights }) => {
      const place = `${at(['stages', index, ...path])}${stage.stage}: ${key}`;
      const unknown = domains.find((domain) => !known.includes(domain));
      if (unknown !== undefined)
        return [
          `${place}: expected domains of the training prompts (${known.join(', ')}), found ${unknown}.`,
        ];
      if (weights !== undefined && !Object.values(weights).some((weight) => weight > 0))
        return [`${place}: expected a weight above 0 for at least one domain, found none.`];
      return [];
    }),
  );
}

/** Domains that a stage names, and the key that names them. */
interface NamedDomains {
  key: string;
  /** of that key, relative to the stage */
  path: Path;
  domains: readonly string[];
  /** by which prompts are drawn; left out for a reward */
  weights?: DomainWeights;
}

function domainsOf(stage: StageRecipe): NamedDomains[] {
  const weighted = (key: string, path: Path, weights: DomainWeights): NamedDomains => ({
    ...{ key, path, weights },
    domains: Object.keys(weights),
  });
  if (stage.algorithm === 'reward-model') return [];
  if (stage.algorithm === 'sft')
    return stage.data.flatMap((source, n) =>
      source.source === 'sampled' && source.domain_weights !== undefined
        ? [weighted(`data[${n}].domain_weights`, ['data', n, 'domain_weights'], source.domain_weights)]
        : [],
    );
  const { curriculum, rewards } = stage.options;
  return [
    ...curriculum.map(({ domain_weights }, n) =>
      weighted(
        `curriculum[${n}].domain_weights`,
        ['options', 'curriculum', n, 'domain_weights'],
        domain_weights,
      ),
    ),
    ...rewards.map(({ name, domains = [] }, n) => ({
      ...{ key: `reward ${name}: domains`, domains },
      path: ['options', 'rewards', n, 'domains'],
    })),
  ];
}

const sampledBy = ({ data }: SupervisedStageRecipe) =>
  data.flatMap((source) => (source.source === 'sampled' ? [source] : []));

/** Stages that select among samples. */
const selectingStages = ({ stages }: Recipe) =>
  stages.flatMap((stage) => (stage.algorithm === 'sft' && sampledBy(stage).length > 0 ? [stage] : []));

/** A word has at least one token: `min_thinking_words` above the token limit keeps no sample. */
export function unreachableLengths({ recipe }: Pick<WithPrompts, 'recipe'>): string[] {
  return selectingStages(recipe).flatMap((stage) => {
    const { min_thinking_words, max_tokens } = stage.keep;
    const longest = Math.max(...sampledBy(stage).map((source) => source.max_completion_length));
    const tokens = Math.min(longest, max_tokens ?? longest);
    if (min_thinking_words <= tokens) return [];
    return [
      `${stage.stage}: keep.min_thinking_words: expected at most as many as a sample has tokens (${tokens}), found ` +
        `${min_thinking_words}. This rule keeps no sample: ask for fewer words, or allow more tokens.`,
    ];
  });
}

/** Samples answer training prompts. Where every such prompt shares text with a held-out one, every sample is rejected. */
export function contaminatedSamples({
  recipe,
  prompts: { prompts },
  generalDomains,
}: Pick<WithPrompts, 'recipe' | 'prompts' | 'generalDomains'>): string[] {
  const stages = selectingStages(recipe).filter(({ keep }) => keep.decontaminate);
  if (stages.length === 0) return [];
  const train = prompts.filter(({ split }) => split === 'train');
  const heldOut = prompts.filter(({ split }) => split === 'test');
  const index = indexEvaluations(
    heldOut.map(({ problem }) => problem),
    { learned: sampledIndices(train.length).map((position) => [train[position]?.problem ?? '']) },
  );
  return stages.flatMap((stage) => contaminatedIn(stage, train, index, generalDomains));
}

function contaminatedIn(
  stage: SupervisedStageRecipe,
  train: readonly ImportedPrompt[],
  index: EvaluationIndex,
  generalDomains: readonly string[],
): string[] {
  const drawn = train.filter(({ domain }) =>
    sampledBy(stage).some(({ domain_weights: weights }) =>
      weights === undefined ? !generalDomains.includes(domain) : (weights[domain] ?? 0) > 0,
    ),
  );
  const [first] = drawn;
  const shared = first === undefined ? null : sharedWithEvaluation(index, first.problem);
  if (first === undefined || shared === null) return [];
  if (drawn.some(({ problem }) => sharedWithEvaluation(index, problem) === null)) return [];
  return [
    `${stage.stage}: keep.decontaminate: expected training prompts that share nothing with held-out ones, found that all ` +
      `${drawn.length} do: ${first.source} line ${first.line} shares ${JSON.stringify(shared.slice(0, 80))}. ` +
      'This rule keeps no sample: hold out other prompts, or set keep.decontaminate to false.',
  ];
}
