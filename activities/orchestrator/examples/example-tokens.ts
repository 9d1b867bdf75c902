import type { RunPlan } from '../../../contracts/plan.ts';
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { prefillOf } from '../../../rewards/chain-of-thought.ts';
import { promptText, promptTokens } from '../../sample-request.ts';

const OPEN = '<think>';

/**
 * An example as a policy is trained on it: the prompt in the form that sampling uses, and the response with its end token.
 * Where the template prefills `<think>`, the response continues after it.
 */
export function exampleTokens(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  problem: string,
  response: string,
): { prompt: number[]; completion: number[] } {
  const prompt = promptText(tokenizer, promptFormat, problem);
  const prefilled = prefillOf(prompt) !== '' && response.startsWith(OPEN);
  const text = prefilled ? response.slice(OPEN.length).replace(/^\n/, '') : response;
  return {
    prompt: promptTokens(tokenizer, promptFormat, problem),
    completion: [...tokenizer.encodeResponse(text), tokenizer.eosTokenId],
  };
}
