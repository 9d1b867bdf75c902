import type { RewardActivities } from '../../contracts/activities.ts';
import type { TrainingActivities } from '../../contracts/training.ts';
import type { RewardContext } from '../dependencies.ts';
import { joinScores } from './join-scores.ts';
import { measureRewardModel, prepareRanking, rankPreferences } from './rank-preferences.ts';
import { score } from './score.ts';
import { addModelVerdicts, prepareScoring, scoreByModel } from './score-by-model.ts';
import { scoreRollout } from './score-rollout.ts';

/** The activities of the reward worker. */
export function createRewardActivities(context: RewardContext): RewardActivities {
  return {
    scoreRollout: (input) => scoreRollout(context, input),
    prepareScoring: (input) => prepareScoring(context, input),
    addModelVerdicts: (input) => addModelVerdicts(context, input),
    prepareRanking: (input) => prepareRanking(context, input),
    rankPreferences: (input) => rankPreferences(context, input),
    scoreByModel: (input) => scoreByModel(context, input),
    joinScores: (input) => joinScores(context, input),
    measureRewardModel: (input) => measureRewardModel(context, input),
  };
}

/** The call of the training contract that needs no lease, on the queue `score`. */
export function createScoringActivities(
  context: Pick<RewardContext, 'objects' | 'models' | 'failpoints'>,
): Pick<TrainingActivities, 'score'> {
  return { score: (message) => score(context, message) };
}
