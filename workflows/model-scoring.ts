/** Verdicts of reward models: their sequences are prepared, a worker on the queue `score` scores them. */
import { patched } from '@temporalio/workflow';
import type { ModelScoring, ScoredByModel } from '../contracts/activities.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { Reference } from '../contracts/reference.ts';
import type { RewardRecipe } from '../contracts/rewards.ts';
import { parseMessage } from '../contracts/training-messages.ts';
import { rewards, scorers } from './activities.ts';
import { failureKind } from './errors.ts';
import { untilServersAnswer } from './trainer.ts';

/** Marks histories whose reward models score by the training contract. */
const SCORES_BY_CONTRACT = 'scores-by-contract';

/** Calls that ended because their workers stopped: after this many in a row the stage parks. */
const WORKERS_IN_A_ROW = 5;

interface ShardInput {
  key: StageKey;
  rollout: Reference;
  /** of the shard, by rule */
  scores: Reference;
  byModel: readonly RewardRecipe[];
  /** names the work in the history */
  what: string;
}

/** A shard's scores by rule and by these reward models as one record. */
export async function addScoresByModel(input: ShardInput): Promise<{ scores: Reference; seconds: number }> {
  const { key, scores: byRule, byModel, what } = input;
  if (byModel.length === 0) return { scores: byRule, seconds: 0 };
  if (!patched(SCORES_BY_CONTRACT)) return await scoresOfEarlierRelease(input);
  const judged = await Promise.all(
    byModel.map(async (reward) => {
      const summary = `${what} · ${reward.name}`;
      const { scoring } = await rewards.prepareScoring.executeWithOptions(
        { summary: `${summary} · tokens` },
        [{ key, scores: byRule, reward }],
      );
      const scored = scoring === null ? null : await scoreSequences(summary, scoring);
      return { reward, scored: scored?.scored ?? null, seconds: scored?.seconds ?? 0 };
    }),
  );
  const { scores } = await rewards.addModelVerdicts.executeWithOptions({ summary: `${what} · verdicts` }, [
    { scores: byRule, byModel: judged.map(({ reward, scored }) => ({ reward, scored })) },
  ]);
  return { scores, seconds: judged.reduce((sum, { seconds }) => sum + seconds, 0) };
}

async function scoresOfEarlierRelease({ key, rollout, scores: byRule, byModel, what }: ShardInput) {
  const judged = await Promise.all(
    byModel.map((reward) =>
      rewards.scoreByModel.executeWithOptions({ summary: `${what} · ${reward.name}` }, [
        { key, rollout, reward },
      ]),
    ),
  );
  const { scores } = await rewards.joinScores({ scores: [byRule, ...judged.map(({ scores }) => scores)] });
  return { scores, seconds: Math.max(...judged.map(({ seconds }) => seconds)) };
}

/** How well a stage's reward model ranks held-out preferences, which are scored slice by slice. */
export async function rankHeldOut(key: StageKey) {
  const what = 'rank held-out preferences';
  if (!patched(SCORES_BY_CONTRACT))
    return await rewards.measureRewardModel.executeWithOptions({ summary: what }, [{ key }]);
  const scored: ScoredByModel[] = [];
  for (let [slice, slices] = [0, 1]; slice < slices; slice++) {
    const prepared = await rewards.prepareRanking.executeWithOptions({ summary: `${what} · tokens` }, [
      { key, slice },
    ]);
    slices = prepared.slices;
    if (prepared.scoring === null) break;
    scored.push((await scoreSequences(`${what} · ${slice + 1} of ${slices}`, prepared.scoring)).scored);
  }
  return await rewards.rankPreferences.executeWithOptions({ summary: what }, [{ key, slices: scored }]);
}

/**
 * One call `score`, repeated where the worker that served it stops.
 * @throws Failure 'BrokenContract' or 'UnknownVersion' where the answer breaks the training contract.
 */
async function scoreSequences(
  summary: string,
  scoring: ModelScoring,
): Promise<{ scored: ScoredByModel; seconds: number }> {
  for (let lost = 1; ; lost++) {
    try {
      const answer = await untilServersAnswer(() =>
        scorers.score.executeWithOptions({ summary }, [{ version: 2, ...scoring }]),
      );
      const { scores, seconds } = parseMessage('score', 'result', answer);
      return { scored: { ...scoring, scores }, seconds };
    } catch (error) {
      if (failureKind(error) !== 'TrainerLost' || lost >= WORKERS_IN_A_ROW) throw error;
    }
  }
}
