/** Which rewards score a rollout: by rule, or by a reward model. */
import type { RewardRecipe } from '../../contracts/rewards.ts';
import { isModelReward } from '../../contracts/rewards.ts';

export interface RewardPlan {
  byRule: RewardRecipe[];
  /** by the trained models of this run */
  byModel: RewardRecipe[];
}

/** Rewards in force for the rollout that begins with `firstStep`: some are used only from a later step of a stage on. */
export function rewardsInForce(rewards: readonly RewardRecipe[], firstStep: number): RewardRecipe[] {
  return rewards.filter(({ from_step = 1 }) => from_step <= firstStep);
}

export function rewardPlan(rewards: readonly RewardRecipe[], firstStep: number): RewardPlan {
  const inForce = rewardsInForce(rewards, firstStep);
  return {
    byRule: inForce.filter(({ name }) => !isModelReward(name)),
    byModel: inForce.filter(({ name }) => isModelReward(name)),
  };
}

/** Whether a reward scores prompts of a domain. */
export const concerns = ({ domains }: RewardRecipe, domain: string) =>
  domains === undefined || domains.includes(domain);
