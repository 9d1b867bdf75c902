/**
 * Generation from a policy's weights. The random draw of a token depends on (seed, position in the completion)
 * alone, but the last bits of its logits also depend on the other sequences of the batch. So the whole list of
 * requests decides the bits, and the same list gives the same bits.
 */

import type { TensorMap } from '../graph/tensor.ts';
import { type ModelConfig, parameterCount } from '../model/architecture.ts';
import { freesBetweenCalls } from '../runtime/memory.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ContinuousBatch } from './continuous-batch.ts';
import { DecodeSession } from './decode-session.ts';
import { DecodeStepper } from './decode-stepper.ts';
import { KvCache } from './kv-cache.ts';
import type { SampledCompletion, SampleOptions, SampleRequest } from './sampling.ts';

export interface DecoderOptions {
  runtime: Runtime;
  config: ModelConfig;
  /** the policy's tensors by Hugging Face name; changes in place are used by the next sample */
  weights: TensorMap;
  /** sequences that are decoded in parallel; changes the bits */
  slots?: number;
  /** The cache of keys and values is freed when sampling ends. Default: for large models. */
  freeBetweenCalls?: boolean | undefined;
}

export interface Decoder {
  /** One completion per request, in the order of the requests. Throws RangeError, LogitsError, SamplingStoppedError. */
  sample(requests: readonly SampleRequest[], options: SampleOptions): SampledCompletion[];
  /** Frees cache and session; the weights belong to the caller. */
  dispose(): void;
}

const DEFAULT_SLOTS = 128;
/** Initial positions of the cache beyond the longest prompt; it doubles when sequences need more. */
const FIRST_CAPACITY = 128;

/** Throws RangeError when `slots` is not a positive integer. */
export function createDecoder(options: DecoderOptions): Decoder {
  const { slots = DEFAULT_SLOTS } = options;
  if (!Number.isInteger(slots) || slots < 1) {
    throw new RangeError(`slots: expected an integer from 1 up, found ${slots}`);
  }
  return new OnnxDecoder(options, slots);
}

class OnnxDecoder implements Decoder {
  private readonly runtime: Runtime;
  private readonly config: ModelConfig;
  private readonly slots: number;
  private readonly freeBetweenCalls: boolean;
  private readonly session: DecodeSession;
  private readonly cache: KvCache;
  private stepper: DecodeStepper | undefined;

  constructor({ runtime, config, weights, freeBetweenCalls }: DecoderOptions, slots: number) {
    this.freeBetweenCalls = freeBetweenCalls ?? freesBetweenCalls(parameterCount(config));
    this.runtime = runtime;
    this.config = config;
    this.slots = slots;
    this.session = new DecodeSession(runtime, config, weights);
    this.cache = new KvCache(runtime, config);
  }

  sample(requests: readonly SampleRequest[], options: SampleOptions): SampledCompletion[] {
    checkRequests(requests, options, this.config);
    if (requests.length === 0) return [];
    const slots = Math.min(this.slots, requests.length);
    const stepper = this.stepperFor(slots, requests);
    try {
      return new ContinuousBatch({
        config: this.config,
        session: this.session,
        stepper,
        cache: this.cache,
        slots,
        requests,
        options,
      }).run();
    } finally {
      if (this.freeBetweenCalls) this.freeCache();
    }
  }

  /** The next sample allocates it again, no smaller. */
  private freeCache(): void {
    this.stepper?.dispose();
    this.stepper = undefined;
    this.cache.dispose();
  }

  dispose(): void {
    this.stepper?.dispose();
    this.cache.dispose();
    this.session.dispose();
  }

  private stepperFor(slots: number, requests: readonly SampleRequest[]): DecodeStepper {
    const longest = requests.reduce((most, { promptTokens }) => Math.max(most, promptTokens.length), 0);
    const capacity = Math.min(
      2 ** Math.ceil(Math.log2(longest + FIRST_CAPACITY)),
      this.config.max_position_embeddings,
    );
    if (this.stepper !== undefined && !this.cache.tooSmallFor(slots, capacity)) return this.stepper;
    this.stepper?.dispose();
    this.cache.reserve(slots, capacity);
    this.stepper = new DecodeStepper(this.runtime, this.session, this.config, this.cache);
    return this.stepper;
  }
}

/** Throws RangeError for a list with an invalid request, before anything is computed. */
function checkRequests(
  requests: readonly SampleRequest[],
  { max_completion_length: length, eosTokenIds }: SampleOptions,
  { max_position_embeddings: positions, vocab_size: V }: ModelConfig,
): void {
  const isToken = (id: number) => Number.isInteger(id) && id >= 0 && id < V;
  if (!Number.isInteger(length) || length < 1) {
    throw new RangeError(`max_completion_length: expected an integer from 1 up, found ${length}`);
  }
  const strange = eosTokenIds.find((id) => !isToken(id));
  if (strange !== undefined) {
    throw new RangeError(
      `eosTokenIds: expected token ids below ${V}, found ${strange}; check the tokenizer.`,
    );
  }
  for (const [index, { promptTokens }] of requests.entries()) {
    const found = promptTokens.find((id) => !isToken(id));
    if (found !== undefined) {
      throw new RangeError(
        `Request ${index}: its prompt has token ${found}; expected 0 … ${V - 1}. Check that tokenizer and model belong together.`,
      );
    }
    if (promptTokens.length === 0) {
      throw new RangeError(`Request ${index}: its prompt is empty; a prompt needs at least one token.`);
    }
    if (promptTokens.length + length > positions) {
      throw new RangeError(
        `Request ${index}: a prompt of ${promptTokens.length} tokens and a completion of ${length} exceed the ` +
          `model's max_position_embeddings, ${positions}. Shorten the prompt or lower max_completion_length.`,
      );
    }
  }
}
