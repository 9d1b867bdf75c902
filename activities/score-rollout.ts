import { informativeGroups } from '../algorithm/dynamic-sampling.ts';
import { mean } from '../algorithm/sample-moments.ts';
import type { ScoreRolloutInput, ScoreRolloutResult } from '../contracts/activities.ts';
import { Failure } from '../contracts/failures.ts';
import type { DrawnPrompt, SampleRequest, ScoresRecord, Verdict } from '../contracts/records.ts';
import { rewards } from '../rewards/index.ts';
import type { Reward } from '../rewards/reward.ts';
import { keys } from '../stores/keys.ts';
import { putRecord } from '../stores/records.ts';
import { tokenizerOf } from './checkpoint-files.ts';
import type { Stores } from './dependencies.ts';
import { planOf, stagePlanOf } from './plan-of.ts';
import { split } from './ragged.ts';
import { readRollout, readSampleRequest } from './records.ts';

const SAMPLES_SHOWN = 3;
const SAMPLE_CHARACTERS = 300;

/** Has every completion of a rollout judged by every reward, and keeps the verdicts apart. */
export async function scoreRollout(
  { database, objects }: Stores,
  { key, rollout, rewards: names }: ScoreRolloutInput,
): Promise<ScoreRolloutResult> {
  const started = performance.now();
  const stage = stagePlanOf(await planOf(database, key.run), key.stage);
  const [tokenizer, sampled] = await Promise.all([
    tokenizerOf(objects, stage.initial.manifest),
    readRollout(objects, rollout),
  ]);
  const { record: request } = await readSampleRequest(objects, sampled.record.request);
  const lengthsN = sampled.ints('completionLengths');
  const completionsN = split(sampled.ints('completionTokens'), lengthsN);
  const truncatedN = sampled.ints('truncated');
  const texts = completionsN.map((tokens) => tokenizer.decode([...tokens], { skipSpecialTokens: true }));
  const judged = names.map((name) => judge(rewardNamed(name), request, texts, truncatedN));
  const record: ScoresRecord = { kind: 'scores', rollout, rewards: judged, texts };
  const scores = await putRecord(objects, keys.scores(rollout), record, new Map());
  return {
    scores,
    means: Object.fromEntries(judged.map(({ name, verdicts }) => [name, mean(scoresOf(verdicts))])),
    informative: informativePrompts(request, judged),
    meanLength: mean([...lengthsN]),
    samples: samplesForPeople(request, texts, judged),
    seconds: (performance.now() - started) / 1000,
  };
}

function rewardNamed(name: string): Reward {
  const found = Object.values(rewards).find((reward) => reward.name === name);
  if (found !== undefined) return found;
  throw new Failure('InvalidInput', `reward ${name}: expected one of ${Object.keys(rewards).join(', ')}`);
}

type Judged = ScoresRecord['rewards'][number];

/** The verdicts of one reward on every completion. */
export function judge(
  reward: Reward,
  request: SampleRequest,
  texts: string[],
  truncatedN: Int32Array,
): Judged {
  const verdicts = texts.map((completionText, n) => {
    const { problem, answer } = promptOf(request, n);
    return reward.score({ problem, answer, completionText, truncated: truncatedN[n] === 1 });
  });
  return { name: reward.name, version: reward.version, verdicts };
}

/** The prompt that sequence n answers. */
function promptOf(request: SampleRequest, n: number): DrawnPrompt {
  const prompt = request.prompts[Math.floor(n / request.numGenerations)];
  if (prompt !== undefined) return prompt;
  throw new Failure(
    'CorruptObject',
    `rollout: expected at most ${request.seeds.length} sequences, found a ${n + 1}th`,
  );
}

/** Places of the prompts whose group is neither all right nor all wrong; none without an accuracy reward. */
function informativePrompts({ numGenerations }: SampleRequest, judged: Judged[]): number[] {
  const accuracy = judged.find(({ name }) => name === 'accuracy')?.verdicts ?? [];
  return informativeGroups(accuracy, numGenerations);
}

const scoreOf = (verdict: Verdict) => ('score' in verdict ? verdict.score : null);
const scoresOf = (verdicts: Verdict[]) => verdicts.map(scoreOf).filter((score) => score !== null);

/** The first sample of each of the first prompts, for the UI. */
function samplesForPeople(
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
