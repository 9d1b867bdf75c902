/**
 * Arguments and results of the engine's thread: files in, arrays and digests out.
 *
 * Axes: N = sequences, T = tokens of all sequences one after the other.
 */
import type { Numerics } from '../../contracts/numerics.ts';
import type { SamplingOptions } from '../../contracts/options.ts';
import type { NumbersInForce } from '../../contracts/records/schemas.ts';
import type { Digests, StepMetrics } from '../../contracts/training.ts';
import type { SampleProgress } from '../decode/sampling.ts';
import type { WeightsInput } from '../model/weights-loader.ts';
import type { SupervisedMetrics } from '../train/supervised-step.ts';
import type { StoredTensors } from '../weights/safetensors.ts';
import type { Ragged } from './ragged.ts';

export interface LoadInput {
  /** `config.json` */
  config: unknown;
  /** a safetensors file; null: those of `readWeights` before */
  model: WeightsInput | null;
  moments: WeightsInput | null;
  reference: WeightsInput | null;
  /** loads a reference policy: `reference`, or a copy of the weights where that is null */
  withReference: boolean;
}

/** One of the files of a model's weights, before the call that loads the model or the scorer. */
export interface WeightsFileInput extends Pick<LoadInput, 'config'> {
  file: WeightsInput;
  /** whether it is the model's first file */
  first: boolean;
}

export interface LoadedPolicy {
  /** of the weights, as they are stored (rule 11) */
  digests: Digests;
  numerics: Numerics;
  parameters: number;
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
  /** null: those of the training step's own forward pass */
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

export interface TrainedSupervised {
  metrics: SupervisedMetrics;
  digestAfter: string | null;
  referenceDigest: null;
}

/** A model that only scores; later calls use its name. */
export interface ScorerInput extends Pick<LoadInput, 'config' | 'model'> {
  name: string;
}

export interface LoadedScorer {
  /** of the weights */
  digest: string;
  /** tokens of the longest sequence that it accepts */
  longest: number;
  numerics: Numerics;
}

export interface ScoreArrays {
  /** null: the reward model that is loaded for training */
  name: string | null;
  sequencesN: Int32Array[];
}

/** The contents of a checkpoint: copies of its tensors. */
export interface Staged {
  weights: StoredTensors;
  moments: StoredTensors;
  reference: StoredTensors | null;
}

/** Progress of a long `sample`, and a way to stop it. */
export interface SampleWatch {
  onProgress?: (progress: SampleProgress) => void;
  shouldStop?: () => boolean;
}
