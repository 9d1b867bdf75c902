/** The rewards of a recipe and their options. */
import { z } from 'zod';
import { rewardWeight, steps, tokens } from './bounds.ts';

/** Languages that can be a target, by ISO 639-1. */
// biome-ignore format: one code per line would be 30 lines
const languageCodes = [
  'ar', 'bg', 'cs', 'da', 'de', 'el', 'en', 'es', 'fa', 'fi', 'fr', 'he', 'hi', 'hu', 'id', 'it', 'ja', 'ko', 'nl', 'no', 'pl', 'pt', 'ro', 'ru', 'sv', 'th', 'tr', 'uk', 'vi', 'zh',
] as const;
export type LanguageCode = (typeof languageCodes)[number];

/** Lists of words to count, for tasks whose languages no detector knows. */
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
      ctx.addIssue({
        code: 'custom',
        path: ['other'],
        message: `expected words that are not in target, found ${both}`,
      });
  });

/** Options of each reward by rule; `rewards/index.ts` creates the reward from them. */
export const ruleOptionsSchemas = {
  accuracy: z.strictObject({
    /** for code: `all-or-nothing`: 1 where every test passes; `pass-rate`: the share of passed tests */
    code: z.enum(['all-or-nothing', 'pass-rate']).default('all-or-nothing'),
    /** for reasoning-gym: whether its scorers' partial credits count */
    partial_credit: z.boolean().default(false),
  }),
  format: z.strictObject({}),
  language: z.strictObject({
    /** the language of the chain of thought, by ISO 639-1 */
    target: z.enum(languageCodes).default('en'),
    /** count these words instead of detecting the language; `target` is then ignored */
    words: countedWordsSchema.optional(),
  }),
  length: z.strictObject({
    /** L_max, in tokens; default: the maximum completion length */
    max_length: tokens.optional(),
    /** L_c: the interval before L_max in which the punishment grows, in tokens; default: a fifth of L_max */
    soft_punish_cache: tokens.optional(),
  }),
  repetition: z.strictObject({
    /** terms in an n-gram */
    ngram_size: z.int().min(1).max(1_000).default(6),
    /** the score of a text that only repeats itself */
    max_penalty: z.number().min(-1_000_000).max(0).default(-1),
  }),
} as const;

/** Rewards by reward models of the run, each trained by the stage `reward-model/NAME`. */
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
    /** applies from the first rollout that begins at this step or later; default: from the beginning */
    from_step: steps.optional(),
    /** judges only prompts of these domains; default: all */
    domains: z.array(z.string().min(1)).min(1).optional(),
    options: options.optional(),
  });

/** A reward of the sum: its name in `rewards/`, its weight, its options. */
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

/** The default L_c is a fifth of L_max (DAPO, arXiv 2503.14476, section 3.4: 4,096 of 20,480 tokens). */
const SOFT_PUNISH_SHARE = 5;

/** L_max and L_c of the reward `length`, in tokens, with defaults for missing options. */
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

/** The problem of the reward `length`'s options at this maximum completion length; null where they are valid. */
export function lengthProblem(rewards: readonly RewardRecipe[], maxCompletionLength: number): string | null {
  const options = rewards.find((reward) => reward.name === 'length')?.options;
  const { longest, cache } = lengthLimits(options ?? {}, maxCompletionLength);
  if (longest > maxCompletionLength)
    return `length: max_length: expected at most max_completion_length (${maxCompletionLength}), found ${longest}`;
  if (cache > longest)
    return `length: soft_punish_cache: expected at most max_length (${longest}), found ${cache}`;
  return null;
}
