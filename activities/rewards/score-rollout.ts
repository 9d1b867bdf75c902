import { informativeGroups } from '../../algorithm/rl/dynamic-sampling.ts';
import { thinkingOf } from '../../algorithm/rl/rollout-health.ts';
import { mean } from '../../algorithm/rl/sample-statistics.ts';
import type { ScoreRolloutInput, ScoreRolloutResult } from '../../contracts/activities.ts';
import type { JudgedReward, SampleRequest, Verdict } from '../../contracts/records/schemas.ts';
import { readEntries } from '../../stores/data/prompts.ts';
import { tokenizerOf } from '../checkpoints/checkpoint-files.ts';
import type { RewardContext } from '../dependencies.ts';
import { initialOf, planOf } from '../plan-of.ts';
import { readSampleRequest } from '../records/request.ts';
import { readRollout } from '../records/rollout.ts';
import { putScores, putTexts } from '../records/scores.ts';
import { judge } from './judge.ts';
import { completionTexts, promptOf, rewardInputs } from './reward-inputs.ts';

const SAMPLES_SHOWN = 3;
const SAMPLE_CHARACTERS = 300;

/** Judges every completion of a shard by every reward, and writes its texts and the verdicts of each reward. */
export async function scoreRollout(
  { database, objects, tools }: RewardContext,
  { key, rollout, rewards: recipes }: ScoreRolloutInput,
): Promise<ScoreRolloutResult> {
  const started = performance.now();
  const { record, completionsN, lengthsN, truncatedN } = await readRollout(objects, rollout);
  const { request } = await readSampleRequest(objects, record.request);
  const plan = await planOf(database, key.run);
  const model = request.model ?? (await initialOf(database, key)).manifest;
  const texts = await completionTexts(request, completionsN, await tokenizerOf(objects, model, plan));
  const entries = await readEntries(
    database,
    request.prompts.map(({ prompt }) => prompt),
  );
  const inputs = rewardInputs({ request, entries, texts, lengthsN, truncatedN });
  const judged = await judge(recipes, inputs, tools);
  const thinkingN = texts.map((text, n) =>
    thinkingOf(text, promptOf(request, n).domain, plan.generalDomains),
  );
  const scores = await putScores(objects, {
    rollout,
    texts: await putTexts(objects, rollout, texts),
    rewards: judged,
    lengthsN,
    truncatedN,
    thinkingN,
  });
  return {
    scores,
    means: Object.fromEntries(judged.map(({ name, verdicts }) => [name, mean(scoresOf(verdicts))])),
    informative: informativePrompts(request, judged),
    meanLength: mean([...lengthsN]),
    samples: samplesForDisplay(request, texts, judged),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Indices of the prompts whose group is neither all right nor all wrong; empty without an accuracy reward. */
function informativePrompts({ numGenerations }: SampleRequest, judged: JudgedReward[]): number[] {
  const accuracy = judged.find(({ name }) => name === 'accuracy')?.verdicts ?? [];
  return informativeGroups(accuracy, numGenerations);
}

const scoreOf = (verdict: Verdict) => ('score' in verdict && !verdict.absent ? verdict.score : null);
const scoresOf = (verdicts: Verdict[]) => verdicts.map(scoreOf).filter((score) => score !== null);

/** The first sample of each of the first prompts, for the UI. */
function samplesForDisplay(
  request: SampleRequest,
  texts: string[],
  judged: JudgedReward[],
): ScoreRolloutResult['samples'] {
  const shown = request.prompts.slice(0, SAMPLES_SHOWN).map((_, p) => p * request.numGenerations);
  return shown.map((n) => ({
    problem: promptOf(request, n).problem.slice(0, SAMPLE_CHARACTERS),
    text: (texts[n] ?? '').slice(0, SAMPLE_CHARACTERS),
    score: judged.map(({ name, verdicts }) => `${name} ${verdictText(verdicts[n])}`).join(' · '),
  }));
}

function verdictText(verdict: Verdict | undefined): string {
  if (verdict === undefined) return '–';
  return 'score' in verdict ? String(verdict.score) : verdict.error.kind;
}
