/**
 * A policy in training: its weights, the optimizer's moments and the reference policy in native
 * memory, and the graphs over them. The decoder samples from the same weight tensors.
 *
 * Axes: B sequences of a batch, R scored (completion) tokens of a micro-batch.
 */

import { disposeAll, type TensorMap } from '../graph/tensor.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { type Moments, Parameters, type ParametersOptions, tensorOf } from '../model/parameters.ts';
import type { ProgressReport } from '../runtime/progress.ts';
import type { Objective } from './losses.ts';
import type { Sequence } from './micro-batches.ts';
import { PolicyGraphs } from './policy-graphs.ts';
import { type ClipRange, type StepMetrics, stepMetrics, type TokenOutputs } from './step-metrics.ts';
import {
  policyScalars,
  policyTokens,
  ratioHigh,
  type Scalars,
  type SftBatch,
  type TrainBatch,
} from './train-batch.ts';

export interface StepResult extends StepMetrics {
  /** The training pass's log-probabilities, before the update, per sequence and completion token. */
  logprobs: Float32Array[];
}

interface Scores {
  /** Per sequence, per completion token. */
  logprobs: Float32Array[];
  /** Of the distribution each token was drawn from, in nats. */
  entropies: Float32Array[];
}

export interface Policy {
  readonly config: ModelConfig;
  readonly weights: TensorMap;
  readonly moments: Moments;
  /** The gradient of the last step, before clipping. */
  readonly gradients: TensorMap;
  /** Undefined until `setReference()`. */
  readonly reference: TensorMap | undefined;
  /** One update by policy gradient. Throws, without an update, where the gradient is not finite. */
  trainStep(batch: TrainBatch): StepResult;
  /** One update towards given completions. */
  sftStep(batch: SftBatch): StepResult;
  /** Forward and backward pass into `gradients`, without an update. */
  computeGradients(batch: TrainBatch): StepResult;
  logprobs(
    sequences: readonly Sequence[],
    options: { temperature: number; of: 'policy' | 'reference' },
  ): Scores;
  /** Sets the reference: the given weights, or a copy of the policy's own. */
  setReference(weights?: ReadonlyMap<string, ArrayLike<number>>): void;
  /** π_ref ← α·π_θ + (1 − α)·π_ref */
  refreshReference(alpha: number): void;
  dispose(): void;
}

export interface PolicyOptions extends ParametersOptions {
  /** Positions of a micro-batch, padding included; changes the bits. Default: at most 1024. */
  maxMicroBatchTokens?: number | undefined;
  report?: ProgressReport | undefined;
  /** Sampling, log-probabilities and training return their memory when they end. Default: for large models. */
  freeBetweenCalls?: boolean | undefined;
}

/** Throws where a weight is missing, unknown or of another shape than the configuration's. */
export function createPolicy(options: PolicyOptions): Policy {
  return new OrtPolicy(options);
}

class OrtPolicy implements Policy {
  readonly config: ModelConfig;
  reference: TensorMap | undefined;
  private readonly parameters: Parameters;
  private readonly graphs: PolicyGraphs;
  private readonly onTensor: () => void;

  constructor({ maxMicroBatchTokens, report, freeBetweenCalls, ...options }: PolicyOptions) {
    const { runtime, config } = options;
    this.config = config;
    this.parameters = new Parameters(options);
    this.graphs = new PolicyGraphs({ runtime, config, maxMicroBatchTokens, report, freeBetweenCalls });
    this.onTensor = () => report?.advance();
  }

  get weights(): TensorMap {
    return this.parameters.weights;
  }

  get moments(): Moments {
    return this.parameters.moments;
  }

  get gradients(): TensorMap {
    return this.parameters.gradients;
  }

  trainStep(batch: TrainBatch): StepResult {
    const result = this.computeGradients(batch);
    this.parameters.update(result.gradNorm, batch.options, this.onTensor);
    return result;
  }

  computeGradients(batch: TrainBatch): StepResult {
    const { options, sequences, advantagesB, tokenWeights } = batch;
    const objective: Objective = { loss: options.loss, level: options.importance_sampling_level };
    const outputs = this.accumulate(objective, sequences, policyTokens(batch), policyScalars(batch));
    const range: ClipRange = { low: 1 - options.epsilon, high: ratioHigh(options) };
    return this.result(outputs, tokenWeights, { advantagesB, range });
  }

  sftStep({ sequences, tokenWeights, options, packing = false }: SftBatch): StepResult {
    const scalars = { floats: { temperature: 1 }, flags: {} };
    const objective: Objective = { loss: 'sft', level: 'token' };
    const outputs = this.accumulate(objective, sequences, { tokenWeights }, scalars, packing);
    const result = this.result(outputs, tokenWeights);
    this.parameters.update(result.gradNorm, options, this.onTensor);
    return result;
  }

  /** Computes the batch's gradient into `gradients`. */
  private accumulate(
    objective: Objective,
    sequences: readonly Sequence[],
    perToken: Record<string, readonly Float32Array[]>,
    scalars: Scalars,
    packing = false,
  ): TokenOutputs {
    this.parameters.clearGradients();
    const { weights, gradients } = this;
    return this.graphs.train({ objective, weights, gradients, sequences, perToken, scalars, packing });
  }

  private result(
    outputs: TokenOutputs,
    tokenWeights: readonly Float32Array[],
    clipping?: { advantagesB: ArrayLike<number>; range: ClipRange },
  ): StepResult {
    const gradNorm = this.parameters.gradientNorm();
    return { ...stepMetrics(outputs, tokenWeights, gradNorm, clipping), logprobs: outputs.logprobs };
  }

  logprobs(
    sequences: readonly Sequence[],
    { temperature, of }: { temperature: number; of: 'policy' | 'reference' },
  ): Scores {
    const weights = of === 'policy' ? this.weights : this.requiredReference();
    return this.graphs.score({ weights, sequences, temperature });
  }

  private requiredReference(): TensorMap {
    if (this.reference) return this.reference;
    throw new Error(
      'The policy has no reference: call setReference() before asking for its log-probabilities.',
    );
  }

  setReference(weights?: ReadonlyMap<string, ArrayLike<number>>): void {
    this.reference ??= this.parameters.zeros();
    for (const [name, tensor] of this.reference) {
      const source = weights ? weights.get(name) : tensorOf(this.weights, name).data;
      if (source?.length !== tensor.data.length) {
        throw new Error(
          `The reference's ${name} has ${source?.length ?? 'no'} elements, expected ${tensor.data.length}.`,
        );
      }
      tensor.data.set(source);
    }
  }

  refreshReference(alpha: number): void {
    for (const [name, { data: reference }] of this.requiredReference()) {
      const { data: weights } = tensorOf(this.weights, name);
      // π_ref ← α·π_θ + (1 − α)·π_ref
      for (let i = 0; i < reference.length; i += 1) {
        reference[i] = alpha * (weights[i] ?? 0) + (1 - alpha) * (reference[i] ?? 0);
      }
    }
  }

  dispose(): void {
    this.graphs.dispose();
    this.parameters.dispose();
    if (this.reference) disposeAll(this.reference);
    this.reference = undefined;
  }
}
