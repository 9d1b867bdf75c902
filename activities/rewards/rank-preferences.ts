/**
 * How well a reward model ranks held-out preferences, which are scored slice by slice: in each pair the chosen response
 * above the rejected one, of labels each safe response above each unsafe one.
 */
import { type Ranking, ROWS_OF_SLICE, rankAll, rankPairs } from '../../algorithm/evaluation/ranking.ts';
import { optionsInForce } from '../../algorithm/rl/schedules.ts';
import type { ModelScoring, RewardModelMeasure, ScoredByModel } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { RewardModelPlan, RunPlan } from '../../contracts/plan.ts';
import type { Verdict } from '../../contracts/records/schemas.ts';
import { countPreferences, type Preference, readPreferences } from '../../stores/data/preferences.ts';
import { keys } from '../../stores/objects/keys.ts';
import { currentBranch } from '../../stores/runs/branches.ts';
import { listChanges } from '../../stores/runs/changes.ts';
import { setMeasure } from '../../stores/runs/stages.ts';
import { latestCheckpoint } from '../../stores/steps/checkpoints.ts';
import { tokenizerOf } from '../checkpoints/checkpoint-files.ts';
import type { RewardContext, Stores, WatchedStores } from '../dependencies.ts';
import { otherAlgorithm, planOf, stagePlanOf } from '../plan-of.ts';
import { putSequences } from '../records/model-scoring.ts';
import { type Answer, judgedSequences, modelVerdicts, type TrainedReward } from './model-verdicts.ts';
import { scoredVerdicts } from './score-by-model.ts';

/** What is ranked. */
interface Subject {
  plan: RewardModelPlan;
  run: RunPlan;
  branch: BranchKey;
  model: TrainedReward;
}

/** A stage's last checkpoint. */
async function subjectOf({ database }: Pick<Stores, 'database'>, key: StageKey): Promise<Subject> {
  const run = await planOf(database, key.run);
  const plan = stagePlanOf(run, key.stage);
  if (plan.algorithm !== 'reward-model') return otherAlgorithm(plan, 'reward-model');
  const { manifest } = await latestCheckpoint(database, key);
  const name = plan.objective === 'pairwise' ? 'helpfulness' : 'safety';
  return { plan, run, branch: await currentBranch(database, key), model: { name, manifest } };
}

/** Writes one slice of the held-out preferences as sequences. */
export async function prepareRanking(
  { database, objects }: Stores,
  { key, slice }: { key: StageKey; slice: number },
): Promise<{ scoring: ModelScoring | null; slices: number }> {
  const { plan, run, branch, model } = await subjectOf({ database }, key);
  const heldOut = await countPreferences(database, plan.preferences, 'test');
  const slices = Math.ceil(heldOut / ROWS_OF_SLICE);
  const rows = await readSlice({ database }, plan, slice, heldOut);
  if (rows.length === 0) return { scoring: null, slices };
  const tokenizer = await tokenizerOf(objects, model.manifest, run);
  const sequencesN = judgedSequences(tokenizer, run, model.name, rows.flatMap(answersOf));
  const sequences = await putSequences(objects, keys.rankedSequences(branch), sequencesN);
  return { scoring: { model: model.manifest, sequences }, slices };
}

/** Ranks the held-out preferences by what a worker has scored, and stores the result with the stage. */
export async function rankPreferences(
  context: WatchedStores,
  { key, slices }: { key: StageKey; slices: ScoredByModel[] },
): Promise<RewardModelMeasure & { needed: number }> {
  const { objects } = context;
  return await measure(context, key, ({ model: { name, manifest } }, slice, answers) => {
    const scored = slices[slice];
    if (scored?.model.sha256 === manifest.sha256)
      return scoredVerdicts(objects, name, scored, answers.length);
    throw new Failure(
      'Contradiction',
      `held-out preferences: expected scores of slice ${slice} by ${manifest.uri}, found ` +
        `${scored === undefined ? 'none' : `some by ${scored.model.uri}`}`,
    );
  });
}

/** For workflows of an earlier release: the same by the models of this process. */
export async function measureRewardModel(
  context: RewardContext,
  { key }: { key: StageKey },
): Promise<RewardModelMeasure & { needed: number }> {
  const { models } = context;
  return await measure(context, key, ({ model, run }, _, answers) =>
    modelVerdicts(models, model, run, answers),
  );
}

type Judge = (subject: Subject, slice: number, answers: readonly Answer[]) => Promise<Verdict[]>;

async function measure(
  { database, failpoints }: Pick<WatchedStores, 'database' | 'failpoints'>,
  key: StageKey,
  judge: Judge,
): Promise<RewardModelMeasure & { needed: number }> {
  const subject = await subjectOf({ database }, key);
  const ranking = await rank({ database }, subject, judge);
  await setMeasure(database, key, ranking);
  failpoints.reached('measured', 0);
  const changes = await listChanges(database, subject.branch);
  const { options } = subject.plan;
  return { ...ranking, needed: optionsInForce(options.max_steps + 1, options, changes).min_accuracy };
}

/** Throws Failure 'InvalidInput' where nothing can be ranked. */
async function rank(stores: Pick<Stores, 'database'>, subject: Subject, judge: Judge): Promise<Ranking> {
  const { plan, model } = subject;
  const heldOut = await countPreferences(stores.database, plan.preferences, 'test');
  const [better, worse]: [number[], number[]] = [[], []];
  for (let slice = 0; slice * ROWS_OF_SLICE < heldOut; slice++) {
    const rows = await readSlice(stores, plan, slice, heldOut);
    const verdicts = await judge(subject, slice, rows.flatMap(answersOf));
    const scores = verdicts.map(scoreIn).values();
    for (const row of rows)
      for (const isBetter of sidesOf(row))
        (isBetter ? better : worse).push(scores.next().value ?? Number.NaN);
  }
  if (better.length === 0 || worse.length === 0) {
    throw new Failure(
      'InvalidInput',
      `preferences ${plan.preferences}: expected held-out responses of both kinds, found ${better.length} good and ` +
        `${worse.length} bad; add held-out rows`,
    );
  }
  return model.name === 'helpfulness' ? rankPairs(better, worse) : rankAll(better, worse);
}

function readSlice(
  { database }: Pick<Stores, 'database'>,
  { preferences }: Pick<RewardModelPlan, 'preferences'>,
  slice: number,
  heldOut: number,
): Promise<Preference[]> {
  const begin = slice * ROWS_OF_SLICE;
  const size = Math.max(0, Math.min(ROWS_OF_SLICE, heldOut - begin));
  const ordinals = Array.from({ length: size }, (_, n) => begin + n);
  return readPreferences(database, preferences, 'test', ordinals);
}

/** The responses of a preference, the better one of a pair first. */
const answersOf = (row: Preference): Answer[] =>
  (row.kind === 'pair' ? [row.chosen, row.rejected] : [row.response]).map((completionText) => ({
    problem: row.prompt,
    completionText,
  }));

/** Of each response, whether it is a better one. */
const sidesOf = (row: Preference): boolean[] => (row.kind === 'pair' ? [true, false] : [row.safe]);

function scoreIn(verdict: Verdict): number {
  if ('score' in verdict) return verdict.score;
  throw new Failure('InvalidInput', `held-out preferences: ${verdict.error.message}; leave out longer ones`);
}
