/** What `r1 eval` and `r1 generate` ask of a sampler, wherever it computes. */
import type { DecodedRequest } from '../../activities/records/request.ts';

/** A shard as sampled. N = sequences. */
export interface SampledShard {
  completionsN: Int32Array[];
  lengthsN: Int32Array;
  /** [N] 1: cut by the length limit */
  truncatedN: Int32Array;
  /** at temperature 1; null where they are not asked for */
  logprobsN: Float32Array[] | null;
}

/** What is to be sampled. A shard is the unit of both samplers: the same shards give the same completions. */
export interface SamplingWork {
  shards: readonly DecodedRequest[];
  withLogprobs: boolean;
  /** `done`: completions; `waiting` says what for */
  onProgress: (progress: { done: number; waiting?: string }) => void;
  /** called with what else a user should know */
  say: (text: string) => void;
}

/** Shards in their order, each once it is sampled. */
export type Sampler = (work: SamplingWork) => AsyncGenerator<SampledShard>;
