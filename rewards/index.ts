import { type RuleRewardName, ruleOptionsSchemas } from '../contracts/rewards.ts';
import { accuracy } from './accuracy.ts';
import { format } from './format.ts';
import { languageReward } from './language.ts';
import { lengthPunishment } from './length.ts';
import { repetitionPenalty } from './repetition.ts';
import type { Reward } from './reward.ts';
import type { RewardTools } from './tools.ts';

type OptionsOf<Name extends RuleRewardName> = ReturnType<(typeof ruleOptionsSchemas)[Name]['parse']>;

/** Makes each reward that a recipe can name from its options. */
const rules: { [Name in RuleRewardName]: (options: OptionsOf<Name>, tools: RewardTools) => Reward } = {
  accuracy,
  format: () => format,
  language: languageReward,
  length: lengthPunishment,
  repetition: repetitionPenalty,
};

export const rewardNames = Object.keys(rules) as RuleRewardName[];

/** The reward of that name; options that are left out have their defaults. Throws ZodError. */
export function makeReward(
  { name, options = {} }: { name: RuleRewardName; options?: unknown },
  tools: RewardTools,
) {
  return create(name, options, tools);
}

function create<Name extends RuleRewardName>(name: Name, options: unknown, tools: RewardTools): Reward {
  return rules[name](ruleOptionsSchemas[name].parse(options) as OptionsOf<Name>, tools);
}
