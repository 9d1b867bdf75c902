/**
 * Continuous batching: a fixed number of slots for the sequences that are being decoded. A sequence that ends leaves
 * its slot, the last sequence moves into the gap, waiting requests enter in their order, and the batch shrinks as
 * the last requests finish. A prompt shared by many requests is run once and its cache copied to each.
 */
import { seedWords, uniformFromWords } from '../../algorithm/random/seeds.ts';
import type { ModelConfig } from '../model/architecture.ts';
import type { DecodeSession } from './decode-session.ts';
import type { DecodeStepper } from './decode-stepper.ts';
import type { KvCache } from './kv-cache.ts';
import { PromptQueue } from './prompt-queue.ts';
import { createSampler, LogitsError, type Sampler } from './sampler.ts';
import {
  type SampledCompletion,
  type SampleOptions,
  type SampleRequest,
  SamplingStoppedError,
} from './sampling.ts';

export interface ContinuousBatchOptions {
  config: ModelConfig;
  session: DecodeSession;
  stepper: DecodeStepper;
  cache: KvCache;
  slots: number;
  requests: readonly SampleRequest[];
  options: SampleOptions;
}

/** A completion that is being sampled. */
interface Sequence {
  request: number;
  /** the generator's key */
  key: readonly [number, number];
  tokens: Int32Array;
  logprobs: Float32Array;
  /** tokens drawn */
  length: number;
  finish: 'stop' | 'length' | undefined;
}

export class ContinuousBatch {
  private readonly parts: ContinuousBatchOptions;
  private readonly sampler: Sampler;
  private readonly prompts: PromptQueue;
  private readonly eos: ReadonlySet<number>;
  private readonly completions: SampledCompletion[];
  /** the sequence of each occupied slot; the first slots are occupied */
  private readonly active: Sequence[] = [];
  private entered = 0;
  private finished = 0;
  private drawn = 0;

  constructor(parts: ContinuousBatchOptions) {
    const { config, session, requests, options } = parts;
    this.parts = parts;
    this.sampler = createSampler(options, config.vocab_size);
    this.prompts = new PromptQueue(
      session,
      requests.map((request) => request.promptTokens),
    );
    this.eos = new Set(options.eosTokenIds);
    this.completions = new Array(requests.length);
  }

  run(): SampledCompletion[] {
    const { requests, options, slots } = this.parts;
    while (this.finished < requests.length) {
      if (options.shouldStop?.()) throw new SamplingStoppedError('Sampling was stopped on request.');
      while (this.active.length < slots && this.entered < requests.length) this.enter(this.entered++);
      if (this.active.length > 0) this.step();
      const { finished, drawn } = this;
      options.onProgress?.({ finished, requests: requests.length, tokens: drawn });
    }
    return this.completions;
  }

  /** Draws a request's first token from its prompt's logits; takes a slot unless that token ends the completion. */
  private enter(index: number): void {
    const { requests, cache, stepper, options } = this.parts;
    const request = requests[index];
    if (request === undefined) throw new Error(`There is no request ${index}.`);
    const prompt = this.prompts.take(index);
    const sequence: Sequence = {
      request: index,
      key: seedWords(request.seed),
      tokens: new Int32Array(options.max_completion_length),
      logprobs: new Float32Array(options.max_completion_length),
      length: 0,
      finish: undefined,
    };
    const token = this.draw(sequence, prompt.logitsV);
    if (sequence.finish !== undefined) return;
    const slot = this.active.push(sequence) - 1;
    cache.load(slot, prompt.cache);
    stepper.feed(slot, token, prompt.cache.length);
  }

  /** Runs every sequence's last token and draws its next. */
  private step(): void {
    const { stepper } = this.parts;
    const n = this.active.length;
    this.growCache();
    stepper.run(n);
    for (let slot = 0; slot < n; slot++) {
      const sequence = this.active[slot];
      if (sequence === undefined) continue;
      stepper.feed(slot, this.draw(sequence, stepper.logits(slot)), stepper.position(slot) + 1);
    }
    for (let slot = n - 1; slot >= 0; slot--) if (this.active[slot]?.finish !== undefined) this.leave(slot);
  }

  /** Draws a sequence's next token, and stores the completion if that token ends it. */
  private draw(sequence: Sequence, logitsV: Float32Array): number {
    const { token, logprob } = this.sampled(sequence, logitsV);
    sequence.tokens[sequence.length] = token;
    sequence.logprobs[sequence.length] = logprob;
    sequence.length += 1;
    this.drawn += 1;
    if (this.eos.has(token)) this.finish(sequence, 'stop');
    else if (sequence.length === sequence.tokens.length) this.finish(sequence, 'length');
    return token;
  }

  private sampled(sequence: Sequence, logitsV: Float32Array) {
    const { request, key, length } = sequence;
    try {
      return this.sampler(logitsV, uniformFromWords(key, length));
    } catch (error) {
      if (!(error instanceof LogitsError)) throw error;
      throw new LogitsError(`Request ${request}, token ${length}: ${error.message}`, { cause: error });
    }
  }

  private finish(sequence: Sequence, finish: 'stop' | 'length'): void {
    sequence.finish = finish;
    this.finished += 1;
    this.completions[sequence.request] = {
      tokens: sequence.tokens.slice(0, sequence.length),
      logprobs: sequence.logprobs.slice(0, sequence.length),
      finish,
    };
  }

  /** Frees a slot: the last sequence moves into it. */
  private leave(slot: number): void {
    const { cache, stepper } = this.parts;
    const last = this.active.length - 1;
    const moved = this.active.pop();
    if (moved === undefined || slot === last) return;
    this.active[slot] = moved;
    cache.move(last, slot, stepper.position(last));
    stepper.move(last, slot);
  }

  /** Doubles the cache when the longest sequence needs more positions. */
  private growCache(): void {
    const { cache, stepper, config } = this.parts;
    let needed = 0;
    for (let slot = 0; slot < this.active.length; slot++)
      needed = Math.max(needed, stepper.position(slot) + 1);
    if (needed <= cache.capacity) return;
    stepper.unbind();
    cache.grow(Math.min(2 * cache.capacity, config.max_position_embeddings), this.active.length);
  }
}
