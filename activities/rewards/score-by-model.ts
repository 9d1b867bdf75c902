import { concerns } from '../../algorithm/rl/reward-plan.ts';
import { optionsInForce } from '../../algorithm/rl/schedules.ts';
import type { RewardModelMeasure, ScoreByModelInput } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { ScoresRecord, Verdict } from '../../contracts/records.ts';
import { isModelReward, type ModelRewardName } from '../../contracts/rewards.ts';
import { keys } from '../../stores/objects/keys.ts';
import { putRecord } from '../../stores/objects/records.ts';
import { currentBranch } from '../../stores/runs/branches.ts';
import { listChanges } from '../../stores/runs/changes.ts';
import { setMeasure } from '../../stores/runs/stages.ts';
import { finalCheckpoint, latestCheckpoint } from '../../stores/steps/checkpoints.ts';
import { tokenizerOf } from '../checkpoints/checkpoint-files.ts';
import type { RewardContext } from '../dependencies.ts';
import { initialOf, otherAlgorithm, planOf, stagePlanOf } from '../plan-of.ts';
import { split } from '../ragged.ts';
import { readRollout, readSampleRequest } from '../records.ts';
import { MODEL_REWARD_VERSION, modelVerdicts } from './model-verdicts.ts';
import { rankPreferences } from './rank-preferences.ts';
import { completionTexts } from './reward-inputs.ts';

const absent: Verdict = { score: 0, absent: true };

/** Scores the completions of a rollout with a reward model that this run has trained. */
export async function scoreByModel(
  { database, objects, models }: RewardContext,
  { key, rollout, reward }: ScoreByModelInput,
): Promise<{ scores: ScoresReference; seconds: number }> {
  const started = performance.now();
  const name = modelRewardOf(reward.name);
  const trained = await finalCheckpoint(database, { run: key.run, stage: `reward-model/${name}` });
  const plan = await planOf(database, key.run);
  const sampled = await readRollout(objects, rollout);
  const { record: request } = await readSampleRequest(objects, sampled.record.request);
  const tokenizer = await tokenizerOf(
    objects,
    request.model ?? (await initialOf(database, key)).manifest,
    plan,
  );
  const completionsN = split(sampled.ints('completionTokens'), sampled.ints('completionLengths'));
  const texts = completionTexts(request, completionsN, tokenizer);
  const promptsN = texts.map((_, n) => request.prompts[Math.floor(n / request.numGenerations)]);
  const concernedN = promptsN.map((prompt) => prompt !== undefined && concerns(reward, prompt.domain));
  const answers = texts.flatMap((completionText, n) =>
    concernedN[n] ? [{ problem: promptsN[n]?.problem ?? '', completionText }] : [],
  );
  const given = (await modelVerdicts(models, { name, manifest: trained.manifest }, plan, answers)).values();
  const verdicts = concernedN.map((concerned) => (concerned ? (given.next().value ?? absent) : absent));
  const record: ScoresRecord = {
    kind: 'scores',
    rollout,
    rewards: [{ name, version: MODEL_REWARD_VERSION, verdicts }],
    texts,
  };
  const scores = await putRecord(objects, keys.scores(rollout), record, new Map());
  return { scores, seconds: (performance.now() - started) / 1000 };
}

type ScoresReference = Awaited<ReturnType<typeof putRecord>>;

function modelRewardOf(name: string): ModelRewardName {
  if (isModelReward(name)) return name;
  throw new Failure(
    'InvalidInput',
    `reward ${name}: expected a reward of a trained model, found one by rule`,
  );
}

/** Ranks held-out preferences with a reward-model stage's last checkpoint, and stores the result with the stage. */
export async function measureRewardModel(
  { database, models, failpoints }: RewardContext,
  { key }: { key: StageKey },
): Promise<RewardModelMeasure & { needed: number }> {
  const run = await planOf(database, key.run);
  const plan = stagePlanOf(run, key.stage);
  if (plan.algorithm !== 'reward-model') return otherAlgorithm(plan, 'reward-model');
  const { manifest } = await latestCheckpoint(database, key);
  const name = plan.objective === 'pairwise' ? 'helpfulness' : 'safety';
  const { preferences } = plan;
  const measure = await rankPreferences(
    { database, models },
    { model: { name, manifest }, preferences, plan: run },
  );
  await setMeasure(database, key, measure);
  failpoints.reached('measured', 0);
  const changes = await listChanges(database, await currentBranch(database, key));
  const { options } = plan;
  return { ...measure, needed: optionsInForce(options.max_steps + 1, options, changes).min_accuracy };
}
