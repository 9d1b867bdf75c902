import { watchedAfter } from '../algorithm/alarms.ts';
import { type EvaluatedSample, summarizeEvaluation } from '../algorithm/statistics.ts';
import type { RecordEvaluationInput, RecordEvaluationResult } from '../contracts/activities.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../contracts/records.ts';
import { extractAnswer } from '../rewards/answer-text.ts';
import { chainOfThought } from '../rewards/chain-of-thought.ts';
import { alarmsAt } from '../stores/alarms.ts';
import { recordEvaluation as insertEvaluation } from '../stores/evaluations.ts';
import type { Stores } from './dependencies.ts';
import { planOf, stagePlanOf } from './plan-of.ts';
import { readRollout, readSampleRequest, readScores } from './records.ts';

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
  const { stage, branch, step } = await insertEvaluation(database, { ...input, figures, alarms });
  const raised = await alarmsAt(database, { run: input.key.run, stage, branch, step });
  return { ...figures, alarms: raised.filter(({ name }) => watchedAfter(name) === 'evaluations') };
}

/** samplesPK: what statistics need to know of sample k of problem p. */
export function evaluatedSamples(
  { prompts, numGenerations }: Pick<SampleRequest, 'prompts' | 'numGenerations'>,
  { rewards, texts }: Pick<ScoresRecord, 'rewards' | 'texts'>,
  lengthsN: Int32Array,
): EvaluatedSample[][] {
  const verdictsOf = (name: string) => rewards.find((reward) => reward.name === name)?.verdicts ?? [];
  const [accuracy, format, language] = ['accuracy', 'format', 'language'].map(verdictsOf);
  return prompts.map(({ domain }, p) =>
    Array.from({ length: numGenerations }, (_, k) => {
      const n = p * numGenerations + k;
      const text = texts[n] ?? '';
      return {
        answer: answerIn(accuracy?.[n]) ?? extractAnswer(text),
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

/** The answer that a verifier found. */
function answerIn(verdict: Verdict | undefined): string | null {
  return verdict !== undefined && 'score' in verdict ? (verdict.extracted ?? null) : null;
}

/** A response without a chain of thought thinks in no language. */
const thinks = (text: string) => chainOfThought(text).trim() !== '';

const scoreIn = (verdict: Verdict | undefined) =>
  verdict !== undefined && 'score' in verdict && !verdict.absent ? verdict.score : null;

/** Full marks or not; null where the verifier answered with an error. */
function passed(verdict: Verdict | undefined): boolean | null {
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}
