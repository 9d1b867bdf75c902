import { type JudgedFor, scoredText } from '../../../algorithm/data/scored-text.ts';
import type { RunPlan } from '../../../contracts/plan.ts';
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { prefillOf } from '../../../rewards/chain-of-thought.ts';
import { promptText, promptTokens } from '../../sample-request.ts';

/** The tokens that a reward model reads of an answer: the same in training, measuring and scoring. */
export interface RewardModelTokens {
  prompt: number[];
  /** the scored part of the response with its end token */
  completion: number[];
}

export interface JudgedAnswer {
  judgedFor: JudgedFor;
  problem: string;
  response: string;
}

/** The prompt as the policy read it, without an opened `<think>` where the model reads no thinking, and the scored part. */
export function rewardModelTokens(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  { judgedFor, problem, response }: JudgedAnswer,
): RewardModelTokens {
  const asRead = promptText(tokenizer, promptFormat, problem);
  const prefilled = prefillOf(asRead) !== '';
  const text = scoredText(judgedFor, response, { prefilled });
  const opensTwice = prefilled && text.startsWith('<think>');
  const withoutPrefill = prefilled && (judgedFor === 'helpfulness' || opensTwice);
  const edit = withoutPrefill
    ? (rendered: string) => rendered.slice(0, rendered.length - prefillOf(rendered).length)
    : undefined;
  return {
    prompt: promptTokens(tokenizer, promptFormat, problem, edit),
    completion: [...tokenizer.encodeResponse(text), tokenizer.eosTokenId],
  };
}

export const wholeSequence = ({ prompt, completion }: RewardModelTokens) =>
  Int32Array.of(...prompt, ...completion);
