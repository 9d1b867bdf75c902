import type { RewardActivities } from '../../contracts/activities.ts';
import type { RewardRoom } from '../dependencies.ts';
import { joinScores } from './join-scores.ts';
import { measureRewardModel, scoreByModel } from './score-by-model.ts';
import { scoreRollout } from './score-rollout.ts';

/** The verifiers, served by what one process has started. */
export function createRewardActivities(room: RewardRoom): RewardActivities {
  return {
    scoreRollout: (input) => scoreRollout(room, input),
    scoreByModel: (input) => scoreByModel(room, input),
    joinScores: (input) => joinScores(room, input),
    measureRewardModel: (input) => measureRewardModel(room, input),
  };
}
