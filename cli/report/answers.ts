/** The same held-out prompts as each policy answered them, read from the evaluations' own records. */
import { readRollout, readSampleRequest, readScores } from '../../activities/records.ts';
import { partsOf } from '../../algorithm/data/response-parts.ts';
import type { DrawnPrompt, ScoresRecord } from '../../contracts/records.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import type { CommittedEvaluation } from '../../stores/steps/evaluations.ts';
import type { AnsweredPrompt, PolicyResponse } from './report-data.ts';

/** Reasoning prompts shown, and prompts of each general domain. */
const SHOWN = { reasoning: 3, ofGeneralDomain: 1 };
const MOST_CHARACTERS = 4_000;

interface Answered {
  prompts: DrawnPrompt[];
  /** the first response to each prompt, by the prompt's hash */
  responses: Map<string, PolicyResponse>;
}

/**
 * The first held-out prompts with each policy's first answer. Nothing is chosen by what was answered.
 * `evaluations`: one whole evaluation a policy, in the order in which they are to be shown.
 */
export async function readAnswers(
  objects: ObjectStore,
  evaluations: readonly CommittedEvaluation[],
  generalDomains: readonly string[],
): Promise<AnsweredPrompt[]> {
  const answered: Answered[] = [];
  // One after the other: an evaluation of long answers fills much memory.
  for (const evaluation of evaluations) answered.push(await readFirstAnswers(objects, evaluation));
  const prompts = answered.find(({ prompts }) => prompts.length > 0)?.prompts ?? [];
  return shownOf(prompts, generalDomains).map(({ prompt, problem, answer, domain }) => ({
    problem,
    answer,
    domain,
    responses: answered.flatMap(({ responses }) => responses.get(prompt) ?? []),
  }));
}

function shownOf(prompts: readonly DrawnPrompt[], generalDomains: readonly string[]): DrawnPrompt[] {
  const reasoning = prompts.filter(({ domain }) => !generalDomains.includes(domain));
  const general = generalDomains.flatMap((name) =>
    prompts.filter(({ domain }) => domain === name).slice(0, SHOWN.ofGeneralDomain),
  );
  return [...reasoning.slice(0, SHOWN.reasoning), ...general];
}

async function readFirstAnswers(objects: ObjectStore, evaluation: CommittedEvaluation): Promise<Answered> {
  const { record: scores } = await readScores(objects, evaluation.scores);
  const { record: rollout } = await readRollout(objects, evaluation.rollout);
  const { record: request } = await readSampleRequest(objects, rollout.request);
  const responses = request.prompts.map(({ prompt }, p): [string, PolicyResponse] => {
    const n = p * request.numGenerations;
    const text = cut(scores.texts[n] ?? '');
    return [prompt, { policy: evaluation.stage, text, parts: partsOf(text), correct: isCorrect(scores, n) }];
  });
  return { prompts: request.prompts, responses: new Map(responses) };
}

function isCorrect({ rewards }: ScoresRecord, n: number): boolean | null {
  const verdict = rewards.find(({ name }) => name === 'accuracy')?.verdicts[n];
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}

const cut = (text: string) =>
  text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}\n… (${text.length} characters)`;
