/** Prompts that cannot be trained on or measured with, told before anything is written. */
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import type { DomainWeights } from '../../contracts/options.ts';
import type { Recipe, StageRecipe } from '../../contracts/recipe.ts';
import { InputError } from '../errors.ts';
import type { PlaceOf } from './recipe-file.ts';
import type { Path } from './schema-keys.ts';

const nowhere: PlaceOf = () => '';

/** Reasoning prompts must be there to train on, and as many held out as evaluations ask for. */
export function refuseSplits(
  recipe: Recipe,
  prompts: readonly ImportedPrompt[],
  at: PlaceOf = nowhere,
): void {
  const heldOut = prompts.filter(({ split }) => split === 'test').length;
  if (heldOut === prompts.length) {
    throw new InputError(
      `${at(['prompts'])}prompts: expected some to train on, found held-out ones (split "test") alone`,
    );
  }
  for (const [key, asked] of problemsAsked(recipe)) {
    if (heldOut >= asked) continue;
    throw new InputError(
      `${at(['evaluation', key])}evaluation: expected at most as many problems as prompts are held out (${heldOut}), ` +
        `found ${asked}. Hold out more (prompts.test, rows with "split": "test"), or set evaluation.${key}.`,
    );
  }
}

/** Quick evaluations are made by stages with `eval_steps` alone. */
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

/** Reasoning and general prompts are sources apart: what one holds out the other must not train on. */
export function refuseOverlap(prompts: readonly ImportedPrompt[]): void {
  const heldOut = heldOutByHash(prompts);
  for (const { split, hash, source, line } of prompts) {
    const measured = split === 'train' ? heldOut.get(hash) : undefined;
    if (measured === undefined) continue;
    throw new InputError(
      `${source} line ${line}: expected a problem that is not held out, found that of ${measured.source} line ${measured.line}. ` +
        'Leave it out of one of the two.',
    );
  }
}

/** Domains that a stage names, and the key that names them. */
interface NamedDomains {
  key: string;
  /** of that key, counted from the stage */
  path: Path;
  domains: readonly string[];
  /** of a walk over the prompts; none: of a reward */
  weights?: DomainWeights;
}

/** Every domain that a stage names must have prompts to train on, and every walk must visit one. */
export function refuseDomains(
  { stages }: Recipe,
  prompts: readonly ImportedPrompt[],
  at: PlaceOf = nowhere,
): void {
  const train = prompts.filter(({ split }) => split === 'train').map(({ domain }) => domain);
  const known = [...new Set(train)];
  for (const [index, stage] of stages.entries()) {
    for (const { key, path, domains, weights } of domainsOf(stage)) {
      const place = `${at(['stages', index, ...path])}${stage.stage}: ${key}`;
      const unknown = domains.find((domain) => !known.includes(domain));
      if (unknown !== undefined)
        throw new InputError(
          `${place}: expected domains of the training prompts (${known.join(', ')}), found ${unknown}.`,
        );
      if (weights !== undefined && !Object.values(weights).some((weight) => weight > 0))
        throw new InputError(`${place}: expected a weight above 0 for at least one domain, found none.`);
    }
  }
}

function domainsOf(stage: StageRecipe): NamedDomains[] {
  const walk = (key: string, path: Path, weights: DomainWeights): NamedDomains => ({
    key,
    path,
    weights,
    domains: Object.keys(weights),
  });
  if (stage.algorithm === 'reward-model') return [];
  if (stage.algorithm === 'sft')
    return stage.data.flatMap((source, n) =>
      source.source === 'sampled' && source.domain_weights !== undefined
        ? [walk(`data[${n}].domain_weights`, ['data', n, 'domain_weights'], source.domain_weights)]
        : [],
    );
  const { curriculum, rewards } = stage.options;
  return [
    ...curriculum.map(({ domain_weights }, n) =>
      walk(`curriculum[${n}].domain_weights`, ['options', 'curriculum', n, 'domain_weights'], domain_weights),
    ),
    ...rewards.map(({ name, domains = [] }, n) => ({
      key: `reward ${name}: domains`,
      path: ['options', 'rewards', n, 'domains'],
      domains,
    })),
  ];
}
