/**
 * A policy under a trainer's lease, as plain calls whose arguments and results can cross a thread: bytes in,
 * arrays and digests out. Everything is synchronous; `engine/thread.ts` keeps it off the loop that heartbeats.
 *
 * Axes: N = sequences, T = tokens of all sequences one after the other.
 */
import { parseSeed } from '../algorithm/seeds.ts';
import type { Numerics } from '../contracts/numerics.ts';
import type { SamplingOptions } from '../contracts/options.ts';
import type { NumbersInForce } from '../contracts/records.ts';
import type { Digests, StepMetrics } from '../contracts/training.ts';
import { createDecoder, type Decoder } from './decoder.ts';
import { digestTensors } from './digest.ts';
import { type ModelConfig, parameterCount, parseModelConfig } from './model-config.ts';
import { createPolicy, type Moments, type Policy, type StepResult } from './policy.ts';
import type { Runtime } from './runtime.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensors } from './safetensors.ts';
import type { SampleProgress } from './sampling.ts';
import { disposeAll, type TensorMap } from './tensor.ts';
import { checkWeights, storedTensors } from './weights.ts';

export interface LoadInput {
  /** `config.json` */
  config: unknown;
  /** safetensors files */
  model: Uint8Array;
  moments: Uint8Array | null;
  reference: Uint8Array | null;
  /** holds a reference policy: `reference`, or a copy of the weights where that is null */
  withReference: boolean;
}

export interface LoadedPolicy {
  digests: Digests;
  numerics: Numerics;
  parameters: number;
}

/** Sequences of different lengths in one array, and their lengths. */
export interface Ragged<A> {
  flat: A;
  lengths: Int32Array;
}

export interface SampleArrays {
  /** the prompt of each sequence */
  prompts: Int32Array[];
  seeds: string[];
  sampling: SamplingOptions;
  eosTokenIds: number[];
}

export interface SampledArrays {
  completions: Ragged<Int32Array>;
  logprobsT: Float32Array;
  /** 1 where the length limit cut the sequence */
  truncatedN: Int32Array;
}

export interface SequenceArrays {
  promptsN: Int32Array[];
  completionsN: Int32Array[];
}

export interface TrainArrays extends SequenceArrays {
  advantagesN: Float32Array;
  lossWeightsN: Float32Array;
  samplerLogprobsN: Float32Array[];
  /** null: the training pass's own */
  oldLogprobsN: Float32Array[] | null;
  referenceLogprobsN: Float32Array[] | null;
  numbers: NumbersInForce;
  refreshReference: { alpha: number } | null;
  digestAfter: boolean;
}

export interface Trained {
  metrics: StepMetrics;
  digestAfter: string | null;
  referenceDigest: string | null;
}

/** What a checkpoint is written from: safetensors files and their digests. */
export interface Exported {
  model: Uint8Array;
  moments: Uint8Array;
  reference: Uint8Array | null;
  digests: Digests;
}

/** What the caller of a long `sample` sees and may stop. */
export interface SampleWatch {
  onProgress?: (progress: SampleProgress) => void;
  shouldStop?: () => boolean;
}

const MOMENT_PREFIXES = { expAvg: 'exp_avg.', expAvgSq: 'exp_avg_sq.' } as const;

/** One policy at a time; loading another disposes of the one before. */
export class PolicyService {
  private readonly runtime: Runtime;
  private held: { policy: Policy; decoder: Decoder } | null = null;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  load({ config: json, model, moments, reference, withReference }: LoadInput): LoadedPolicy {
    this.release();
    const config = parseModelConfig(json);
    const weights = this.native(
      checkWeights(decodeSafetensors(model, 'model.safetensors'), config, 'model.safetensors'),
    );
    const policy = createPolicy({
      runtime: this.runtime,
      config,
      weights,
      moments:
        moments === null ? undefined : this.nativeMoments(decodeSafetensors(moments, 'the moments'), config),
    });
    if (withReference)
      policy.setReference(reference === null ? undefined : referenceWeights(reference, config));
    this.held = {
      policy,
      decoder: createDecoder({ runtime: this.runtime, config, weights: policy.weights }),
    };
    const digests = digestsOf(policy);
    return {
      digests: { ...digests, moments: moments === null ? null : digests.moments },
      numerics: this.runtime.numerics,
      parameters: parameterCount(config),
    };
  }

  sample({ prompts, seeds, sampling, eosTokenIds }: SampleArrays, watch: SampleWatch = {}): SampledArrays {
    const requests = prompts.map((promptTokens, n) => ({ promptTokens, seed: parseSeed(seeds[n] ?? '') }));
    const sampled = this.current.decoder.sample(requests, { ...sampling, eosTokenIds, ...watch });
    return {
      completions: joined(sampled.map(({ tokens }) => tokens)),
      logprobsT: joinFloats(sampled.map(({ logprobs }) => logprobs)),
      truncatedN: Int32Array.from(sampled, ({ finish }) => Number(finish === 'length')),
    };
  }

  /** logprobsT of given completions, of softmax(logits / temperature). */
  logprobs(arrays: SequenceArrays, temperature: number, of: 'policy' | 'reference'): Float32Array {
    return joinFloats(this.current.policy.logprobs(sequencesOf(arrays), { temperature, of }).logprobs);
  }

  /** One optimiser step; where the batch says so, the reference is refreshed after it. */
  train(arrays: TrainArrays): Trained {
    const { policy } = this.current;
    const { numbers } = arrays;
    const result = policy.trainStep({
      sequences: sequencesOf(arrays),
      advantagesB: arrays.advantagesN,
      oldLogprobs: arrays.oldLogprobsN,
      refLogprobs: arrays.referenceLogprobsN,
      tokenWeights: arrays.completionsN.map(({ length }, n) =>
        new Float32Array(length).fill(arrays.lossWeightsN[n] ?? 0),
      ),
      options: { ...numbers, loss: 'grpo', importance_sampling_level: 'token', step: numbers.adam_step },
    });
    if (arrays.refreshReference !== null) policy.refreshReference(arrays.refreshReference.alpha);
    return {
      metrics: metricsOf(result, arrays),
      digestAfter: arrays.digestAfter ? digestOf(policy.weights) : null,
      referenceDigest:
        policy.reference === undefined ? null : this.referenceDigest(arrays.refreshReference !== null),
    };
  }

  export(): Exported {
    const { policy } = this.current;
    return {
      model: encodeSafetensors(storedTensors(policy.weights)),
      moments: encodeSafetensors(storedTensors(momentTensors(policy.moments))),
      reference: policy.reference === undefined ? null : encodeSafetensors(storedTensors(policy.reference)),
      digests: digestsOf(policy),
    };
  }

  release(): void {
    this.held?.decoder.dispose();
    this.held?.policy.dispose();
    this.held = null;
    this.knownReference = null;
  }

  private get current() {
    if (this.held === null) throw new Error('expected a loaded policy, found none: load a checkpoint first');
    return this.held;
  }

  /** The reference changes only when it is refreshed or loaded, so its digest is kept between. */
  private knownReference: string | null = null;

  private referenceDigest(changed: boolean): string | null {
    const { reference } = this.current.policy;
    if (reference === undefined) return null;
    if (changed || this.knownReference === null) this.knownReference = digestOf(reference);
    return this.knownReference;
  }

  private native(stored: StoredTensors): TensorMap {
    return new Map(
      [...stored].map(([name, { shape, data }]) => [name, this.runtime.createTensor('float32', shape, data)]),
    );
  }

  private nativeMoments(stored: StoredTensors, config: ModelConfig): Moments {
    const part = (prefix: string) => {
      const tensors = [...stored].filter(([name]) => name.startsWith(prefix));
      const unprefixed = new Map(tensors.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
      return this.native(checkWeights(unprefixed, config, `the moments ${prefix}*`));
    };
    const expAvg = part(MOMENT_PREFIXES.expAvg);
    try {
      return { expAvg, expAvgSq: part(MOMENT_PREFIXES.expAvgSq) };
    } catch (error) {
      disposeAll(expAvg);
      throw error;
    }
  }
}

function referenceWeights(bytes: Uint8Array, config: ModelConfig): Map<string, Float32Array> {
  const stored = checkWeights(
    decodeSafetensors(bytes, 'the reference policy'),
    config,
    'the reference policy',
  );
  return new Map([...stored].map(([name, { data }]) => [name, data]));
}

const digestOf = (tensors: TensorMap) => digestTensors(storedTensors(tensors));

function digestsOf(policy: Policy): Digests {
  return {
    weights: digestOf(policy.weights),
    moments: digestOf(momentTensors(policy.moments)),
    reference: policy.reference === undefined ? null : digestOf(policy.reference),
  };
}

/** Both moments under one roof, as a checkpoint stores them: `exp_avg.NAME` and `exp_avg_sq.NAME`. */
function momentTensors({ expAvg, expAvgSq }: Moments): TensorMap {
  const named = (prefix: string, tensors: TensorMap) =>
    [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
  return new Map([...named(MOMENT_PREFIXES.expAvg, expAvg), ...named(MOMENT_PREFIXES.expAvgSq, expAvgSq)]);
}

const sequencesOf = ({ promptsN, completionsN }: SequenceArrays) =>
  completionsN.map((completionTokens, n) => ({
    promptTokens: promptsN[n] ?? new Int32Array(),
    completionTokens,
  }));

function metricsOf(
  result: StepResult,
  { samplerLogprobsN, oldLogprobsN, numbers }: TrainArrays,
): StepMetrics {
  return {
    loss: result.loss,
    gradNorm: result.gradNorm,
    entropy: result.entropy,
    kl: numbers.beta === 0 ? null : result.kl,
    clipFraction: result.clipFractionLow + result.clipFractionHigh,
    samplerGap: oldLogprobsN === null ? largestGap(samplerLogprobsN, result.logprobs) : null,
    tokensTrained: result.tokens,
  };
}

/** max |log π_sampler − log π_training| over all tokens. */
function largestGap(samplerN: readonly Float32Array[], trainingN: readonly Float32Array[]): number {
  let largest = 0;
  for (const [n, sampler] of samplerN.entries()) {
    const training = trainingN[n] ?? sampler;
    for (const [t, value] of sampler.entries())
      largest = Math.max(largest, Math.abs(value - (training[t] ?? value)));
  }
  return largest;
}

function joined(sequences: readonly Int32Array[]): Ragged<Int32Array> {
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const flat = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const sequence of sequences) {
    flat.set(sequence, offset);
    offset += sequence.length;
  }
  return { flat, lengths };
}

function joinFloats(arrays: readonly Float32Array[]): Float32Array {
  const flat = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    flat.set(array, offset);
    offset += array.length;
  }
  return flat;
}
