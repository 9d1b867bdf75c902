import { setImmediate } from 'node:timers/promises';
import { Failure } from '../../contracts/failures.ts';
import type { DrawnPrompt, SampleRequest } from '../../contracts/records/schemas.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { RewardInput } from '../../rewards/reward.ts';

/** A rollout as text. N sequences. */
export interface SampledTexts {
  request: SampleRequest;
  /** of the prompts that have one, by the prompts' hashes */
  entries: ReadonlyMap<string, unknown>;
  /** [N] */
  texts: readonly string[];
  /** [N] tokens of each completion */
  lengthsN: Int32Array;
  /** [N] 1: cut by the length limit */
  truncatedN: Int32Array;
}

/** The inputs of the rewards for each completion, [N]. Throws Failure 'CorruptObject'. */
export function rewardInputs(sampled: SampledTexts): RewardInput[] {
  const { request, entries, texts, lengthsN, truncatedN } = sampled;
  return texts.map((completionText, n) => {
    const { prompt, problem, answer, domain } = promptOf(request, n);
    return {
      problem,
      answer,
      domain,
      entry: entries.get(prompt) ?? null,
      completionText,
      completionTokens: lengthsN[n] ?? 0,
      maxCompletionLength: request.sampling.max_completion_length,
      truncated: truncatedN[n] === 1,
    };
  });
}

/** How long texts may be decoded without a pause for heartbeats, in milliseconds. */
const TURN_MS = 50;

/** Completions as text, [N], each with the beginning of the answer that its prompt's template has written. */
export async function completionTexts(
  request: SampleRequest,
  completionsN: readonly Int32Array[],
  tokenizer: Tokenizer,
): Promise<string[]> {
  const texts: string[] = [];
  let turn = performance.now();
  for (const [n, tokens] of completionsN.entries()) {
    const { prefill = '' } = promptOf(request, n);
    texts.push(prefill + tokenizer.decode(tokens, { skipSpecialTokens: true }));
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
  return texts;
}

/** The prompt that sequence n answers. */
export function promptOf(
  request: Pick<SampleRequest, 'prompts' | 'numGenerations' | 'seeds'>,
  n: number,
): DrawnPrompt {
  const prompt = request.prompts[Math.floor(n / request.numGenerations)];
  if (prompt !== undefined) return prompt;
  throw new Failure(
    'CorruptObject',
    `rollout: expected at most ${request.seeds.length} sequences, found a ${n + 1}th`,
  );
}
