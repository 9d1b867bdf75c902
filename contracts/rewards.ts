/** Rewards as a recipe names them. */
import { z } from 'zod';
import { rewardWeight, steps, tokens } from './bounds.ts';

/** Languages that can be a target, by ISO 639-1. */
// biome-ignore format: one line a script family would say less
const languageCodes = [
  'ar', 'bg', 'cs', 'da', 'de', 'el', 'en', 'es', 'fa', 'fi', 'fr', 'he', 'hi', 'hu', 'id', 'it', 'ja', 'ko', 'nl', 'no', 'pl', 'pt', 'ro', 'ru', 'sv', 'th', 'tr', 'uk', 'vi', 'zh',
] as const;
export type LanguageCode = (typeof languageCodes)[number];

/** Words that are counted by list, for models whose languages no detector knows. */
const countedWordsSchema = z
  .strictObject({
    /** whole words of the target language, compared without case */
    target: z.array(z.string().trim().min(1)).min(1),
    /** words of any other language */
    other: z.array(z.string().trim().min(1)).min(1),
  })
  .superRefine(({ target, other }, ctx) => {
    const known = new Set(target.map((word) => word.toLowerCase()));
    const both = other.find((word) => known.has(word.toLowerCase()));
    if (both !== undefined)
      ctx.addIssue({ code: 'custom', path: ['other'], message: `expected no word of target, found ${both}` });
  });

/** Options of each reward by rule, by its name; `rewards/index.ts` makes the reward of them. */
export const ruleOptionsSchemas = {
  accuracy: z.strictObject({
    /** code: `all-or-nothing`: 1 where every test passes; `pass-rate`: the share of tests passed */
    code: z.enum(['all-or-nothing', 'pass-rate']).default('all-or-nothing'),
    /** reasoning-gym: its scorers' partial credits too */
    partial_credit: z.boolean().default(false),
  }),
  format: z.strictObject({}),
  language: z.strictObject({
    /** the language of the chain of thought, by ISO 639-1 */
    target: z.enum(languageCodes).default('en'),
    /** count these words and no others; `target` then has no say */
    words: countedWordsSchema.optional(),
  }),
  length: z.strictObject({
    /** L_max, in tokens; left out: the longest completion that is sampled */
    max_length: tokens.optional(),
    /** L_c: the interval before it in which the punishment grows, in tokens; left out: a fifth of it */
    soft_punish_cache: tokens.optional(),
  }),
  repetition: z.strictObject({
    /** terms in an n-gram */
    ngram_size: z.int().min(1).max(1_000).default(6),
    /** the score of a text that is nothing but repetition */
    max_penalty: z.number().min(-1_000_000).max(0).default(-1),
  }),
} as const;

/** Rewards that models of the run give, each trained by the stage `reward-model/NAME`. */
export const modelRewardNames = ['helpfulness', 'safety'] as const;
export type ModelRewardName = (typeof modelRewardNames)[number];
export const isModelReward = (name: string): name is ModelRewardName =>
  modelRewardNames.some((known) => known === name);

export const rewardOptionsSchemas = {
  ...ruleOptionsSchemas,
  helpfulness: z.strictObject({}),
  safety: z.strictObject({}),
} as const;

const rewardOf = <Name extends string, Options extends z.ZodType>(name: Name, options: Options) =>
  z.strictObject({
    name: z.literal(name),
    weight: rewardWeight.default(1),
    /** joins with the first rollout from this step on; left out: from the beginning */
    from_step: steps.optional(),
    /** judges prompts of these domains alone; left out: of all */
    domains: z.array(z.string().min(1)).min(1).optional(),
    options: options.optional(),
  });

/** How a reward joins the sum: its name in `rewards/`, its weight, its options. */
export const rewardSchema = z.discriminatedUnion('name', [
  rewardOf('accuracy', rewardOptionsSchemas.accuracy),
  rewardOf('format', rewardOptionsSchemas.format),
  rewardOf('language', rewardOptionsSchemas.language),
  rewardOf('length', rewardOptionsSchemas.length),
  rewardOf('repetition', rewardOptionsSchemas.repetition),
  rewardOf('helpfulness', rewardOptionsSchemas.helpfulness),
  rewardOf('safety', rewardOptionsSchemas.safety),
]);
export type RewardRecipe = z.infer<typeof rewardSchema>;
export type RewardName = RewardRecipe['name'];
export type RuleRewardName = keyof typeof ruleOptionsSchemas;

/** A fifth of the longest completion (DAPO, arXiv 2503.14476, section 3.4: 4,096 of 20,480 tokens). */
const SOFT_PUNISH_SHARE = 5;

/** L_max and L_c of the reward `length`, in tokens, with what the options leave out. */
export function lengthLimits(
  {
    max_length,
    soft_punish_cache,
  }: { max_length?: number | undefined; soft_punish_cache?: number | undefined },
  maxCompletionLength: number,
): { longest: number; cache: number } {
  const longest = max_length ?? maxCompletionLength;
  return { longest, cache: soft_punish_cache ?? Math.max(1, Math.floor(longest / SOFT_PUNISH_SHARE)) };
}

/** What is wrong with the options of the reward `length` at this longest completion; null where nothing is. */
export function lengthProblem(rewards: readonly RewardRecipe[], maxCompletionLength: number): string | null {
  const options = rewards.find((reward) => reward.name === 'length')?.options;
  const { longest, cache } = lengthLimits(options ?? {}, maxCompletionLength);
  if (longest > maxCompletionLength)
    return `length: max_length: expected at most max_completion_length (${maxCompletionLength}), found ${longest}`;
  if (cache > longest)
    return `length: soft_punish_cache: expected at most max_length (${longest}), found ${cache}`;
  return null;
}
