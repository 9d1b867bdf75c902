import { type EvaluatedSample, summarizeEvaluation } from '../../../algorithm/evaluation/statistics.ts';
import { watchedAfter } from '../../../algorithm/run/alarms.ts';
import type { RecordEvaluationInput, RecordEvaluationResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../../../contracts/records.ts';
import { extractAnswer, isNonAnswer } from '../../../rewards/answer-text.ts';
import { chainOfThought } from '../../../rewards/chain-of-thought.ts';
import { alarmsAt } from '../../../stores/runs/alarms.ts';
import { recordEvaluation as insertEvaluation } from '../../../stores/steps/evaluations.ts';
import type { Stores } from '../../dependencies.ts';
import { planOf, stagePlanOf } from '../../plan-of.ts';
import { readRollout, readSampleRequest, readScores, versionsOf } from '../../records.ts';

/** Turns a scored evaluation into its figures, keeps them as a row, and tells the alarms that it raises. */
export async function recordEvaluation(
  { database, objects }: Stores,
  input: RecordEvaluationInput,
): Promise<RecordEvaluationResult> {
  const [rollout, scores] = await Promise.all([
    readRollout(objects, input.rollout),
    readScores(objects, input.scores),
  ]);
  const plan = await planOf(database, input.key.run);
  const { alarms = [] } = stagePlanOf(plan, input.key.stage);
  const request = await readSampleRequest(objects, rollout.record.request);
  const lengthsN = rollout.ints('completionLengths');
  const figures = summarizeEvaluation(
    evaluatedSamples(request.record, scores.record, lengthsN),
    plan.generalDomains,
  );
  const { stage, branch, step } = await insertEvaluation(database, {
    ...input,
    figures,
    alarms,
    verifiers: versionsOf(scores.record),
  });
  const raised = await alarmsAt(database, { run: input.key.run, stage, branch, step });
  return { ...figures, alarms: raised.filter(({ name }) => watchedAfter(name) === 'evaluations') };
}

/**
 * samplesPK: what statistics need to know of sample k of problem p. Throws Failure 'TooManyErrors' where a domain has
 * no verdict at all.
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

/** Errors alone say nothing of a policy: what they are of is wrong, most often the held-out problems' own answers. */
function refuseUnjudged(
  { prompts, numGenerations }: Pick<SampleRequest, 'prompts' | 'numGenerations'>,
  rewards: ScoresRecord['rewards'],
): void {
  const verdicts = rewards.find(({ name }) => name === 'accuracy')?.verdicts ?? [];
  for (const domain of new Set(prompts.map((prompt) => prompt.domain))) {
    const asked = verdicts.flatMap((verdict, n) => {
      const prompt = prompts[Math.floor(n / numGenerations)];
      return prompt?.domain === domain ? [{ verdict, prompt }] : [];
    });
    const [first] = asked;
    if (first === undefined || !('error' in first.verdict)) continue;
    if (asked.some(({ verdict }) => !('error' in verdict))) continue;
    const { kind, message } = first.verdict.error;
    throw new Failure(
      'TooManyErrors',
      `evaluation: ${domain}: expected a verdict on at least one of ${asked.length} answers, found errors alone; the first, on ` +
        `${JSON.stringify(first.prompt.problem.slice(0, 60))}: ${kind}: ${message}. Mend the answers of these problems ` +
        '(`r1 verify` tells what each verifier reads), or leave them out',
    );
  }
}

/** The final answer of a response: as its verifier found it, else by its tags; null where there is none. */
export const answerOf = (verdict: Verdict | undefined, text: string): string | null =>
  (verdict !== undefined && 'score' in verdict ? verdict.extracted : undefined) ?? extractAnswer(text);

/**
 * What stands for a sample's answer where votes are counted: its value, where the verifier knows it; else the text
 * that it found, or that stands in the answer's tags. Null of a response that answers nothing.
 */
function voteOf(verdict: Verdict | undefined, text: string): string | null {
  if (verdict !== undefined && 'score' in verdict && verdict.value !== undefined) return verdict.value;
  const said = answerOf(verdict, text);
  return said === null || isNonAnswer(said) ? null : said.trim().replace(/\s+/g, ' ');
}

/** A response without a chain of thought thinks in no language. */
const thinks = (text: string) => chainOfThought(text).trim() !== '';

const scoreIn = (verdict: Verdict | undefined) =>
  verdict !== undefined && 'score' in verdict && !verdict.absent ? verdict.score : null;

/** Full marks or not; null where the verifier answered with an error. */
function passed(verdict: Verdict | undefined): boolean | null {
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}
