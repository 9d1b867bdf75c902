/** Requests to a decoder, and their results. */
import type { SamplerOptions } from './sampler.ts';

export interface SampleRequest {
  promptTokens: Int32Array;
  /** 0 … 2^64−1 */
  seed: bigint;
}

export interface SampleOptions extends SamplerOptions {
  /** tokens */
  max_completion_length: number;
  /** a completion ends with the first of these, which it includes */
  eosTokenIds: readonly number[];
  /** called after every step */
  onProgress?: (progress: SampleProgress) => void;
  /** called before every step; true ends the call with SamplingStoppedError */
  shouldStop?: () => boolean;
}

export interface SampleProgress {
  /** completions that have ended, of `requests` */
  finished: number;
  requests: number;
  /** tokens drawn so far */
  tokens: number;
}

export interface SampledCompletion {
  /** the end token included */
  tokens: Int32Array;
  /** of softmax(logits / temperature), before top-k and top-p; at temperature 1 where greedy */
  logprobs: Float32Array;
  /** `stop`: it ended itself; `length`: it was cut at max_completion_length */
  finish: 'stop' | 'length';
}

/** Thrown when `shouldStop` returned true; the call has no results. */
export class SamplingStoppedError extends Error {
  override name = 'SamplingStoppedError';
}
