import { informativeGroups } from '../../algorithm/rl/dynamic-sampling.ts';
import { mean } from '../../algorithm/rl/sample-statistics.ts';
import type { ScoreRolloutInput, ScoreRolloutResult } from '../../contracts/activities.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../../contracts/records.ts';
import { readEntries } from '../../stores/data/prompts.ts';
import { keys } from '../../stores/objects/keys.ts';
import { putRecord } from '../../stores/objects/records.ts';
import { tokenizerOf } from '../checkpoints/checkpoint-files.ts';
import type { RewardContext } from '../dependencies.ts';
import { initialOf, planOf } from '../plan-of.ts';
import { split } from '../ragged.ts';
import { readRollout, readSampleRequest } from '../records.ts';
import { type Judged, judge } from './judge.ts';
import { completionTexts, promptOf, rewardInputs } from './reward-inputs.ts';

const SAMPLES_SHOWN = 3;
const SAMPLE_CHARACTERS = 300;

/** Judges every completion of a rollout by every reward, and writes the verdicts of each reward. */
export async function scoreRollout(
  { database, objects, tools }: RewardContext,
  { key, rollout, rewards: recipes }: ScoreRolloutInput,
): Promise<ScoreRolloutResult> {
  const started = performance.now();
  const sampled = await readRollout(objects, rollout);
  const { record: request } = await readSampleRequest(objects, sampled.record.request);
  const tokenizer = await tokenizerOf(
    objects,
    request.model ?? (await initialOf(database, key)).manifest,
    await planOf(database, key.run),
  );
  const lengthsN = sampled.ints('completionLengths');
  const completionsN = split(sampled.ints('completionTokens'), lengthsN);
  const truncatedN = sampled.ints('truncated');
  const texts = completionTexts(request, completionsN, tokenizer);
  const entries = await readEntries(
    database,
    request.prompts.map(({ prompt }) => prompt),
  );
  const inputs = rewardInputs({ request, entries, texts, lengthsN, truncatedN });
  const judged = await judge(recipes, inputs, tools);
  const record: ScoresRecord = { kind: 'scores', rollout, rewards: judged, texts };
  const scores = await putRecord(objects, keys.scores(rollout), record, new Map());
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
function informativePrompts({ numGenerations }: SampleRequest, judged: Judged[]): number[] {
  const accuracy = judged.find(({ name }) => name === 'accuracy')?.verdicts ?? [];
  return informativeGroups(accuracy, numGenerations);
}

const scoreOf = (verdict: Verdict) => ('score' in verdict && !verdict.absent ? verdict.score : null);
const scoresOf = (verdicts: Verdict[]) => verdicts.map(scoreOf).filter((score) => score !== null);

/** The first sample of each of the first prompts, for the UI. */
function samplesForDisplay(
  request: SampleRequest,
  texts: string[],
  judged: Judged[],
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
