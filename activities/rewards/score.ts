import { CONTRACT_VERSION, type ScoreResult } from '../../contracts/training.ts';
import { parseMessage } from '../../contracts/training-messages.ts';
import type { RewardContext } from '../dependencies.ts';
import { putModelScores, readSequences } from '../records/model-scoring.ts';

/** The call `score` of the training contract: scores sequences by a reward model. */
export async function score(
  { objects, models, failpoints }: Pick<RewardContext, 'objects' | 'models' | 'failpoints'>,
  message: unknown,
): Promise<ScoreResult> {
  const { model, sequences } = parseMessage('score', 'input', message);
  const sequencesN = await readSequences(objects, sequences);
  const { scoresN, numerics, seconds } = await models.score(model, sequencesN);
  const scores = await putModelScores(objects, { sequences, model, numerics }, scoresN);
  failpoints.reached('model-scores', 0);
  return parseMessage('score', 'result', { version: CONTRACT_VERSION, scores, seconds });
}
