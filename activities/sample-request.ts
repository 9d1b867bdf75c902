import type { RunPlan } from '../contracts/activities.ts';
import type { SamplingOptions } from '../contracts/options.ts';
import type { DrawnPrompt, SampleRequest } from '../contracts/records.ts';
import type { Reference } from '../contracts/reference.ts';
import type { Tokenizer } from '../engine/tokenizer.ts';
import type { Tensors } from '../stores/records.ts';
import { ints, joinInts, lengthsOf } from './ragged.ts';

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

/** What a trainer is asked to sample: prompts as tokens, and a seed for each sequence (rule 8). */
export function sampleRequest(input: RequestInput): { record: SampleRequest; tensors: Tensors } {
  const { tokenizer, model, promptFormat, prompts, numGenerations, seedOf, sampling } = input;
  const promptsP = prompts.map(({ problem }) => promptTokens(tokenizer, promptFormat, problem));
  const record: SampleRequest = {
    kind: 'sample-request',
    prompts,
    numGenerations,
    seeds: prompts.flatMap(({ slot }) =>
      Array.from({ length: numGenerations }, (_, sample) => seedOf(slot, sample).toString()),
    ),
    sampling,
    model,
    eosTokenIds: [tokenizer.eosTokenId],
  };
  const flat = joinInts(promptsP);
  const lengths = lengthsOf(promptsP);
  return {
    record,
    tensors: new Map([
      ['promptTokens', ints(flat)],
      ['promptLengths', ints(lengths)],
    ]),
  };
}

/** A problem as the policy reads it: as one user's message by the chat template, or the text as it is. */
export function promptTokens(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  problem: string,
): number[] {
  return tokenizer.encode(promptText(tokenizer, promptFormat, problem));
}

export function promptText(
  tokenizer: Tokenizer,
  promptFormat: RunPlan['promptFormat'],
  problem: string,
): string {
  if (promptFormat === 'text') return problem;
  return tokenizer.applyChatTemplate([{ role: 'user', content: problem }], { add_generation_prompt: true });
}
