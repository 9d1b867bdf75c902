/**
 * The prompts of a list of requests, each distinct one run through the model once. Prompts are run in batches,
 * in the order in which requests need them, and freed after the last request that needs them.
 */
import type { DecodeSession, PrefilledPrompt } from './decode-session.ts';

/** Tokens, padding included, of the prompts run in one call. */
const PREFILL_TOKENS = 4096;

interface QueuedPrompt {
  tokens: Int32Array;
  /** requests that have not taken it yet */
  remaining: number;
  prefilled: PrefilledPrompt | undefined;
}

export class PromptQueue {
  private readonly session: DecodeSession;
  /** the prompt of each request */
  private readonly promptOf: readonly QueuedPrompt[];
  /** distinct prompts in the order in which they are needed */
  private readonly distinct: readonly QueuedPrompt[];
  private done = 0;

  constructor(session: DecodeSession, prompts: readonly Int32Array[]) {
    const known = new Map<string, QueuedPrompt>();
    this.session = session;
    this.promptOf = prompts.map((tokens) => {
      const key = tokens.join();
      const prompt = known.get(key) ?? { tokens, remaining: 0, prefilled: undefined };
      prompt.remaining += 1;
      known.set(key, prompt);
      return prompt;
    });
    this.distinct = [...known.values()];
  }

  /** The prompt of a request; requests take theirs in order, each once. */
  take(request: number): PrefilledPrompt {
    const prompt = this.promptOf[request];
    if (prompt === undefined) throw new Error(`There is no request ${request}.`);
    while (prompt.prefilled === undefined) this.prefillNext();
    const { prefilled } = prompt;
    prompt.remaining -= 1;
    if (prompt.remaining === 0) prompt.prefilled = undefined;
    return prefilled;
  }

  private prefillNext(): void {
    const batch = this.nextBatch();
    if (batch.length === 0) throw new Error('A prompt was taken more often than there are requests for it.');
    const prefilled = this.session.prefill(batch.map((prompt) => prompt.tokens));
    for (const [index, prompt] of batch.entries()) prompt.prefilled = prefilled[index];
    this.done += batch.length;
  }

  /** As many of the next prompts as fit, padded to the longest; at least one. */
  private nextBatch(): QueuedPrompt[] {
    const batch: QueuedPrompt[] = [];
    let longest = 0;
    for (const prompt of this.distinct.slice(this.done)) {
      longest = Math.max(longest, prompt.tokens.length);
      if (batch.length > 0 && longest * (batch.length + 1) > PREFILL_TOKENS) break;
      batch.push(prompt);
    }
    return batch;
  }
}
