/**
 * Verdicts of the reward models that a run has trained. A shard's sequences are written first; a worker that serves the
 * queue `score` scores them; their verdicts then join those by rule.
 */
import type { JudgedFor } from '../../algorithm/data/scored-text.ts';
import { concerns } from '../../algorithm/rl/reward-plan.ts';
import { thinkingOf } from '../../algorithm/rl/rollout-health.ts';
import type {
  AddModelVerdictsInput,
  ModelScoring,
  PrepareScoringInput,
  ScoreByModelInput,
  ScoredByModel,
} from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { DrawnPrompt, JudgedReward, SampleRequest, Verdict } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import { isModelReward, type ModelRewardName, type RewardRecipe } from '../../contracts/rewards.ts';
import { keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { finalCheckpoint } from '../../stores/steps/checkpoints.ts';
import { tokenizerOf } from '../checkpoints/checkpoint-files.ts';
import type { RewardContext, Stores } from '../dependencies.ts';
import { initialOf, planOf } from '../plan-of.ts';
import { putSequences, readModelScores, readSequences } from '../records/model-scoring.ts';
import { readSampleRequest } from '../records/request.ts';
import { readRollout } from '../records/rollout.ts';
import { type DecodedScores, putScores, putTexts, readScores, readTexts } from '../records/scores.ts';
import { joinedScores } from './join-scores.ts';
import {
  type Answer,
  judgedSequences,
  MODEL_REWARD_VERSION,
  modelVerdicts,
  verdictsByModel,
} from './model-verdicts.ts';
import { completionTexts, promptOf } from './reward-inputs.ts';

const absent: Verdict = { score: 0, absent: true };

/** Writes what a reward model of the run is to score of a shard; null where it concerns none of its prompts. */
export async function prepareScoring(
  { database, objects }: Stores,
  { key, scores, reward }: PrepareScoringInput,
): Promise<{ scoring: ModelScoring | null }> {
  const name = modelRewardOf(reward.name);
  const { rollout, texts } = await readScores(objects, scores);
  const promptsN = await promptsOf(objects, rollout);
  const textsN = await readTexts(objects, texts);
  const answers = concernedAnswers(reward, promptsN, textsN);
  if (answers.length === 0) return { scoring: null };
  const { manifest: model } = await finalCheckpoint(database, {
    run: key.run,
    stage: `reward-model/${name}`,
  });
  const plan = await planOf(database, key.run);
  const sequencesN = judgedSequences(await tokenizerOf(objects, model, plan), plan, name, answers);
  const sequences = await putSequences(objects, keys.sequences(rollout), sequencesN);
  return { scoring: { model, sequences } };
}

/** The scores by rule and the verdicts of each reward model as one record. */
export async function addModelVerdicts(
  { objects }: Pick<Stores, 'objects'>,
  { scores, byModel }: AddModelVerdictsInput,
): Promise<{ scores: Reference }> {
  const byRule = await readScores(objects, scores);
  const promptsN = await promptsOf(objects, byRule.rollout);
  const parts: DecodedScores[] = [byRule];
  for (const { reward, scored } of byModel)
    parts.push({ ...byRule, rewards: [await judgedBy(objects, reward, scored, promptsN)] });
  const { rollout, rewards, texts, columns } = joinedScores(parts);
  if (columns === null || texts.kind !== 'record')
    throw new Failure('UnknownVersion', `${scores.uri}: expected scores of version 2, found version 1`);
  return { scores: await putScores(objects, { rollout, rewards, texts: texts.reference, ...columns }) };
}

async function judgedBy(
  objects: ObjectStore,
  reward: RewardRecipe,
  scored: ScoredByModel | null,
  promptsN: readonly DrawnPrompt[],
): Promise<JudgedReward> {
  const name = modelRewardOf(reward.name);
  const concernedN = promptsN.map(({ domain }) => concerns(reward, domain));
  const count = concernedN.filter(Boolean).length;
  if (scored === null && count > 0)
    throw new Failure('Contradiction', `${name}: expected scores of ${count} completions, found none`);
  const given = scored === null ? [] : await scoredVerdicts(objects, name, scored, count);
  return { name, version: MODEL_REWARD_VERSION, verdicts: inPlace(concernedN, given) };
}

/** The verdicts of what a worker has scored. Throws as `readModelScores` does. */
export async function scoredVerdicts(
  objects: Pick<ObjectStore, 'get'>,
  name: JudgedFor,
  { scores, model, sequences }: ScoredByModel,
  count: number,
): Promise<Verdict[]> {
  const scoresN = await readModelScores(objects, scores, { model, sequences, count });
  const sequencesN = scoresN.includes(null) ? await readSequences(objects, sequences) : [];
  return verdictsByModel(name, scoresN, (n) => sequencesN[n]?.length ?? 0);
}

/** [N] the prompt of each completion of a shard */
async function promptsOf(objects: ObjectStore, rollout: Reference): Promise<DrawnPrompt[]> {
  const { record, lengthsN } = await readRollout(objects, rollout);
  const { request } = await readSampleRequest(objects, record.request);
  return promptsOfCompletions(request, lengthsN.length);
}

const promptsOfCompletions = (request: SampleRequest, completions: number) =>
  Array.from({ length: completions }, (_, n) => promptOf(request, n));

const concernedAnswers = (
  reward: RewardRecipe,
  promptsN: readonly DrawnPrompt[],
  textsN: readonly string[],
): Answer[] =>
  promptsN.flatMap(({ domain, problem }, n) =>
    concerns(reward, domain) ? [{ problem, completionText: textsN[n] ?? '' }] : [],
  );

/** `given` in the places of the completions that the reward concerns. */
function inPlace(concernedN: readonly boolean[], given: readonly Verdict[]): Verdict[] {
  const next = given.values();
  return concernedN.map((concerned) => (concerned ? (next.next().value ?? absent) : absent));
}

function modelRewardOf(name: string): ModelRewardName {
  if (isModelReward(name)) return name;
  throw new Failure(
    'InvalidInput',
    `reward ${name}: expected a reward of a trained model, found one by rule`,
  );
}

/** For workflows of an earlier release: the same in this process alone, as scores of their own. */
export async function scoreByModel(
  { database, objects, models }: RewardContext,
  { key, rollout, reward }: ScoreByModelInput,
): Promise<{ scores: Reference; seconds: number }> {
  const started = performance.now();
  const name = modelRewardOf(reward.name);
  const { manifest } = await finalCheckpoint(database, { run: key.run, stage: `reward-model/${name}` });
  const plan = await planOf(database, key.run);
  const { record, completionsN, lengthsN, truncatedN } = await readRollout(objects, rollout);
  const { request } = await readSampleRequest(objects, record.request);
  const policy = request.model ?? (await initialOf(database, key)).manifest;
  const textsN = await completionTexts(request, completionsN, await tokenizerOf(objects, policy, plan));
  const promptsN = promptsOfCompletions(request, textsN.length);
  const answers = concernedAnswers(reward, promptsN, textsN);
  const given = await modelVerdicts(models, { name, manifest }, plan, answers);
  const concernedN = promptsN.map(({ domain }) => concerns(reward, domain));
  const scores = await putScores(objects, {
    rollout,
    texts: await putTexts(objects, rollout, textsN),
    rewards: [{ name, version: MODEL_REWARD_VERSION, verdicts: inPlace(concernedN, given) }],
    lengthsN,
    truncatedN,
    thinkingN: textsN.map((text, n) => thinkingOf(text, promptsN[n]?.domain ?? '', plan.generalDomains)),
  });
  return { scores, seconds: (performance.now() - started) / 1000 };
}
