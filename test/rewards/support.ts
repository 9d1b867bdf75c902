import { type RuleRewardName, rewardOptionsSchemas } from '../../contracts/rewards.ts';
import { makeReward } from '../../rewards/index.ts';
import type { RewardInput } from '../../rewards/reward.ts';
import { createRewardTools } from '../../rewards/tools.ts';

/** A reward's input with the given fields and empty defaults. */
export function rewardInput(given: Partial<RewardInput>): RewardInput {
  return {
    problem: '',
    answer: '',
    domain: 'nano-sums',
    entry: null,
    completionText: '',
    completionTokens: 0,
    maxCompletionLength: 1_000,
    truncated: false,
    ...given,
  };
}

export const tools = createRewardTools({ parallel: 1 });

/** The verdict of a reward on a completion. */
export function scored(name: RuleRewardName, given: Partial<RewardInput>, options: unknown = {}) {
  const known = rewardOptionsSchemas[name].parse(options);
  return makeReward({ name, options: known }, tools).score(rewardInput(given));
}
