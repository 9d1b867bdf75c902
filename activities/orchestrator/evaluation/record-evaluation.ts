import { type EvaluatedSample, summarizeEvaluation } from '../../../algorithm/evaluation/statistics.ts';
import { watchedAfter } from '../../../algorithm/run/alarms.ts';
import type { RecordEvaluationInput, RecordEvaluationResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../../../contracts/records/schemas.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { extractAnswer, isNonAnswer } from '../../../rewards/answer-text.ts';
import { chainOfThought } from '../../../rewards/chain-of-thought.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { alarmsAt } from '../../../stores/runs/alarms.ts';
import { recordEvaluation as insertEvaluation } from '../../../stores/steps/evaluations.ts';
import type { Stores } from '../../dependencies.ts';
import { planOf, stagePlanOf } from '../../plan-of.ts';
import { versionsOf } from '../../records/scores.ts';
import { readShardHeader } from '../../records/shard-reader.ts';
import { readShards, type ScoredRollout, type ScoredShard } from '../../records/shards.ts';
import { indexRollout } from '../rollouts/index-rollout.ts';

/** Computes the figures of a scored evaluation, commits them as a row, and returns the alarms that it raises. */
export async function recordEvaluation(
  { database, objects }: Stores,
  { shards: given, rollout, scores, ...input }: RecordEvaluationInput,
): Promise<RecordEvaluationResult> {
  const plan = await planOf(database, input.key.run);
  const { alarms = [] } = stagePlanOf(plan, input.key.stage);
  const where =
    given === undefined ? wholeOf(rollout, scores) : await indexEvaluation(objects, input.step, given);
  const samplesPK: EvaluatedSample[][] = [];
  const versions: Record<string, number> = {};
  for await (const shard of readShards(objects, where)) {
    samplesPK.push(...evaluatedSamples(shard.request, shard.scores, shard.lengthsN));
    Object.assign(versions, versionsOf(shard.scores.rewards));
  }
  const figures = summarizeEvaluation(samplesPK, plan.generalDomains);
  const { stage, branch, step } = await insertEvaluation(database, {
    ...input,
    ...where,
    figures,
    alarms,
    verifiers: versions,
  });
  const raised = await alarmsAt(database, { run: input.key.run, stage, branch, step });
  return { ...figures, alarms: raised.filter(({ name }) => watchedAfter(name) === 'evaluations') };
}

/** Of a workflow of an earlier release: the whole evaluation is one rollout. */
function wholeOf(rollout: Reference | undefined, scores: Reference | undefined): ScoredRollout {
  if (rollout !== undefined && scores !== undefined) return { rollout, scores };
  throw new Failure('InvalidInput', 'evaluation: expected its shards, found none');
}

/** One object for all shards, as for a rollout. */
async function indexEvaluation(
  objects: ObjectStore,
  step: number,
  shards: readonly ScoredShard[],
): Promise<ScoredRollout> {
  const [first] = shards;
  if (first === undefined) throw new Failure('InvalidInput', 'evaluation: expected its shards, found none');
  const { policy } = await readShardHeader(objects, first.rollout, 'rollout');
  const { index } = await indexRollout(
    { objects },
    {
      firstStep: step,
      shards: shards.map((shard) => ({ ...shard, logprobs: null, keep: null })),
      groups: Number.MAX_SAFE_INTEGER,
      policy,
      referenceDigest: null,
    },
  );
  return { rollout: index, scores: index };
}

/**
 * samplesPK: the input of the statistics for sample k of problem p. Throws Failure 'TooManyErrors' where a domain has no
 * verdict at all.
 */
export function evaluatedSamples(
  request: Pick<SampleRequest, 'prompts' | 'numGenerations'>,
  scores: Pick<ScoresRecord, 'rewards' | 'texts'>,
  lengthsN: Int32Array,
): EvaluatedSample[][] {
  const { prompts, numGenerations } = request;
  const { rewards, texts } = scores;
  refuseUnjudged(request, rewards);
  const verdictsOf = (name: string) => rewards.find((reward) => reward.name === name)?.verdicts ?? [];
  const [accuracy, format, language] = ['accuracy', 'format', 'language'].map(verdictsOf);
  return prompts.map(({ domain }, p) =>
    Array.from({ length: numGenerations }, (_, k) => {
      const n = p * numGenerations + k;
      const text = texts[n] ?? '';
      return {
        answer: voteOf(accuracy?.[n], text),
        correct: passed(accuracy?.[n]),
        wellFormed: passed(format?.[n]) === true,
        domain,
        language: thinks(text) ? scoreIn(language?.[n]) : null,
        tokens: lengthsN[n] ?? 0,
        text,
      };
    }),
  );
}

/** Errors alone do not measure a policy. Their cause is elsewhere, most often in the answers of the held-out problems. */
function refuseUnjudged(
  { prompts, numGenerations }: Pick<SampleRequest, 'prompts' | 'numGenerations'>,
  rewards: ScoresRecord['rewards'],
): void {
  const verdicts = rewards.find(({ name }) => name === 'accuracy')?.verdicts ?? [];
  for (const domain of new Set(prompts.map((prompt) => prompt.domain))) {
    const judged = verdicts.flatMap((verdict, n) => {
      const prompt = prompts[Math.floor(n / numGenerations)];
      return prompt?.domain === domain ? [{ verdict, prompt }] : [];
    });
    const [first] = judged;
    if (first === undefined || !('error' in first.verdict)) continue;
    if (judged.some(({ verdict }) => !('error' in verdict))) continue;
    const { kind, message } = first.verdict.error;
    throw new Failure(
      'TooManyErrors',
      `evaluation: ${domain}: expected a verdict on at least one of ${judged.length} answers, found only errors; the first, on ` +
        `${JSON.stringify(first.prompt.problem.slice(0, 60))}: ${kind}: ${message}. Correct the answers of these problems ` +
        '(`r1 verify` shows what each verifier reads), or leave them out',
    );
  }
}

/** The final answer of a response: the one that its verifier found, else the one in its tags; null where there is none. */
export const answerOf = (verdict: Verdict | undefined, text: string): string | null =>
  (verdict !== undefined && 'score' in verdict ? verdict.extracted : undefined) ?? extractAnswer(text);

/**
 * A sample's answer as votes count it: its value, where the verifier knows it; else the text that the verifier found, or
 * the text in the answer's tags. Null for a response without an answer.
 */
function voteOf(verdict: Verdict | undefined, text: string): string | null {
  if (verdict !== undefined && 'score' in verdict && verdict.value !== undefined) return verdict.value;
  const answer = answerOf(verdict, text);
  return answer === null || isNonAnswer(answer) ? null : answer.trim().replace(/\s+/g, ' ');
}

/** The language of a response is measured only where it has a chain of thought. */
const thinks = (text: string) => chainOfThought(text).trim() !== '';

const scoreIn = (verdict: Verdict | undefined) =>
  verdict !== undefined && 'score' in verdict && !verdict.absent ? verdict.score : null;

/** Whether the score is 1; null where the verifier returned an error. */
function passed(verdict: Verdict | undefined): boolean | null {
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}
