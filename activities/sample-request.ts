import type { SamplingOptions } from '../contracts/options.ts';
import type { RunPlan } from '../contracts/plan.ts';
import type { DrawnPrompt } from '../contracts/records/schemas.ts';
import type { Reference } from '../contracts/reference.ts';
import type { Prompt } from '../engine/tokenizer/chat-template.ts';
import type { Tokenizer } from '../engine/tokenizer/tokenizer.ts';
import { prefillOf } from '../rewards/chain-of-thought.ts';
import type { DecodedRequest } from './records/request.ts';

interface RequestInput {
  tokenizer: Tokenizer;
  /** manifest of the checkpoint whose tokenizer it is */
  model: Reference | null;
  promptFormat: RunPlan['promptFormat'];
  prompts: DrawnPrompt[];
  numGenerations: number;
  /** the seed of sample `sample` of the prompt in `slot` */
  seedOf: (slot: number, sample: number) => bigint;
  sampling: SamplingOptions;
}

/** A request to a trainer for samples: prompts as tokens, and a seed for each sequence (rule 8). */
export function sampleRequest(input: RequestInput): DecodedRequest {
  const { tokenizer, model, promptFormat, prompts, numGenerations, seedOf, sampling } = input;
  tokenizer.preparePrompts(prompts.map(({ problem }) => promptOf(promptFormat, problem)));
  const promptsP = prompts.map(({ problem }) =>
    Int32Array.from(promptTokens(tokenizer, promptFormat, problem)),
  );
  const prefill = ({ problem }: DrawnPrompt) => prefillFor(tokenizer, promptFormat, problem);
  const request = {
    prompts: prompts.map((prompt) => ({ ...prompt, ...prefill(prompt) })),
    numGenerations,
    seeds: prompts.flatMap(({ slot }) =>
      Array.from({ length: numGenerations }, (_, sample) => seedOf(slot, sample).toString()),
    ),
    sampling,
    model,
    eosTokenIds: [...tokenizer.endTokenIds],
  };
  return { request, promptsP };
}

/** A problem as the policy reads it: one user message in the chat template, or the plain text. */
export function promptTokens(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  problem: string,
  edit?: (rendered: string) => string,
): number[] {
  return tokenizer.encodePrompt(promptOf(promptFormat, problem), edit);
}

const promptOf = (promptFormat: RunPlan['promptFormat'], problem: string): Prompt =>
  promptFormat === 'text' ? problem : [{ role: 'user', content: problem }];

/** The beginning of the answer that the template has written: rewards, filters and people read it before the completion. */
function prefillFor(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  problem: string,
): Pick<DrawnPrompt, 'prefill'> {
  if (tokenizer.rules === 1) return {};
  const prefill = prefillOf(promptText(tokenizer, promptFormat, problem));
  return prefill === '' ? {} : { prefill };
}

export function promptText(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  problem: string,
): string {
  if (promptFormat === 'text') return problem;
  return tokenizer.applyChatTemplate([{ role: 'user', content: problem }], { add_generation_prompt: true });
}
