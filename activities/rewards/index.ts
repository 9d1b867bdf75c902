import type { RewardActivities } from '../../contracts/activities.ts';
import type { RewardContext } from '../dependencies.ts';
import { joinScores } from './join-scores.ts';
import { measureRewardModel, scoreByModel } from './score-by-model.ts';
import { scoreRollout } from './score-rollout.ts';

/** The activities of the reward worker. */
export function createRewardActivities(context: RewardContext): RewardActivities {
  return {
    scoreRollout: (input) => scoreRollout(context, input),
    scoreByModel: (input) => scoreByModel(context, input),
    joinScores: (input) => joinScores(context, input),
    measureRewardModel: (input) => measureRewardModel(context, input),
  };
}
