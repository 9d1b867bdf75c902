import { type Ranking, rankAll, rankPairs } from '../../algorithm/evaluation/ranking.ts';
import { Failure } from '../../contracts/failures.ts';
import type { TextPlan } from '../../contracts/plan.ts';
import { countPreferences, type Preference, readPreferences } from '../../stores/data/preferences.ts';
import type { Database } from '../../stores/database/database.ts';
import { type Answer, modelVerdicts, type TrainedReward } from './model-verdicts.ts';
import type { RewardModels } from './reward-models.ts';

/** Preferences that are read and scored at a time. */
const ROWS_AT_ONCE = 512;

export interface RankPreferencesInput {
  model: TrainedReward;
  /** digest of the preferences; their held-out rows are ranked */
  preferences: string;
  plan: TextPlan;
}

interface RankingContext {
  database: Database;
  models: RewardModels;
}

/**
 * The share of held-out pairs that a reward model ranks correctly: in each pair the chosen response above the rejected
 * one, of labels each safe response above each unsafe one. Throws Failure 'InvalidInput' where nothing can be ranked.
 */
export async function rankPreferences(
  context: RankingContext,
  input: RankPreferencesInput,
): Promise<Ranking> {
  const { database } = context;
  const heldOut = await countPreferences(database, input.preferences, 'test');
  const sides: [number[], number[]] = [[], []];
  for (let begin = 0; begin < heldOut; begin += ROWS_AT_ONCE) {
    const ordinals = Array.from({ length: Math.min(ROWS_AT_ONCE, heldOut - begin) }, (_, n) => begin + n);
    const rows = await readPreferences(database, input.preferences, 'test', ordinals);
    const [better, worse] = await sidesOf(context.models, input, rows);
    sides[0].push(...better);
    sides[1].push(...worse);
  }
  const [better, worse] = sides;
  if (better.length === 0 || worse.length === 0) {
    throw new Failure(
      'InvalidInput',
      `preferences ${input.preferences}: expected held-out responses of both kinds, found ${better.length} good and ` +
        `${worse.length} bad; add held-out rows`,
    );
  }
  return input.model.name === 'helpfulness' ? rankPairs(better, worse) : rankAll(better, worse);
}

/** Scores of the better and of the worse responses; the two of a pair have the same index. */
async function sidesOf(
  models: RewardModels,
  { model, plan }: RankPreferencesInput,
  rows: readonly Preference[],
): Promise<[number[], number[]]> {
  const scored = async (answers: Answer[]) =>
    (await modelVerdicts(models, model, plan, answers)).map((verdict) => {
      if ('score' in verdict) return verdict.score;
      throw new Failure(
        'InvalidInput',
        `held-out preferences: ${verdict.error.message}; leave out longer ones`,
      );
    });
  return [await scored(rows.flatMap(betterOf)), await scored(rows.flatMap(worseOf))];
}

const answer = (problem: string, completionText: string): Answer => ({ problem, completionText });

const betterOf = (row: Preference): Answer[] => {
  if (row.kind === 'pair') return [answer(row.prompt, row.chosen)];
  return row.safe ? [answer(row.prompt, row.response)] : [];
};

const worseOf = (row: Preference): Answer[] => {
  if (row.kind === 'pair') return [answer(row.prompt, row.rejected)];
  return row.safe ? [] : [answer(row.prompt, row.response)];
};
