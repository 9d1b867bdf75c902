/**
 * A policy that learns: its weights, the optimizer's moments and the reference policy in
 * native memory, and the graphs over them. The decoder samples from these very weight tensors.
 *
 * Axes: B sequences of a batch, R scored (completion) tokens of a micro-batch.
 */
import { adamWUpdate, clipFactor, globalNorm } from './adamw.ts';
import type { Objective } from './losses.ts';
import type { Sequence } from './micro-batches.ts';
import { expectedTensors, type ModelConfig } from './model-config.ts';
import { PolicyGraphs } from './policy-graphs.ts';
import type { Runtime } from './runtime.ts';
import { type ClipRange, type StepMetrics, stepMetrics, type TokenOutputs } from './step-metrics.ts';
import { disposeAll, type FloatTensor, type TensorMap } from './tensor.ts';
import {
  policyScalars,
  policyTokens,
  ratioHigh,
  type Scalars,
  type SftBatch,
  type TrainBatch,
  type UpdateOptions,
} from './train-batch.ts';

export type { PolicyGradientOptions, SftBatch, TrainBatch, UpdateOptions } from './train-batch.ts';

export interface StepResult extends StepMetrics {
  /** The training pass's log-probabilities, before the update, per sequence and completion token. */
  logprobs: Float32Array[];
}

export interface Scores {
  /** Per sequence, per completion token. */
  logprobs: Float32Array[];
  /** Of the distribution each token was drawn from, in nats. */
  entropies: Float32Array[];
}

/** The optimizer's state, by weight name. */
export interface Moments {
  expAvg: TensorMap;
  expAvgSq: TensorMap;
}

export interface Policy {
  readonly config: ModelConfig;
  readonly weights: TensorMap;
  readonly moments: Moments;
  /** The gradient of the last step, before clipping. */
  readonly gradients: TensorMap;
  /** Undefined until `setReference()`. */
  readonly reference: TensorMap | undefined;
  /** One update by policy gradient. Throws, leaving the weights alone, where the gradient is not finite. */
  trainStep(batch: TrainBatch): StepResult;
  /** One update towards given completions. */
  sftStep(batch: SftBatch): StepResult;
  /** Forward and backward pass into `gradients`, without an update. */
  computeGradients(batch: TrainBatch): StepResult;
  logprobs(
    sequences: readonly Sequence[],
    options: { temperature: number; of: 'policy' | 'reference' },
  ): Scores;
  /** Makes given weights, or a copy of the policy's own, the reference. */
  setReference(weights?: ReadonlyMap<string, ArrayLike<number>>): void;
  /** π_ref ← α·π_θ + (1 − α)·π_ref */
  refreshReference(alpha: number): void;
  dispose(): void;
}

export interface PolicyOptions {
  runtime: Runtime;
  config: ModelConfig;
  /** By Hugging Face name; the policy takes them over and disposes of them. */
  weights: TensorMap;
  /** Zeros unless given; taken over likewise. */
  moments?: Moments;
  /** Positions of a micro-batch, padding included; belongs to what decides the bits. Default: at most 1024. */
  maxMicroBatchTokens?: number;
}

/** Throws where a weight is missing, unknown or of another shape than the configuration's. */
export function createPolicy(options: PolicyOptions): Policy {
  checkTensors('weights', options.config, options.weights);
  if (options.moments) {
    checkTensors('moments exp_avg', options.config, options.moments.expAvg);
    checkTensors('moments exp_avg_sq', options.config, options.moments.expAvgSq);
  }
  return new OrtPolicy(options);
}

function checkTensors(what: string, config: ModelConfig, tensors: TensorMap): void {
  const expected = expectedTensors(config);
  const unknown = [...tensors.keys()].filter((name) => !expected.has(name));
  const wrong = [...expected].flatMap(([name, shape]) => {
    const found = tensors.get(name)?.shape;
    if (found === undefined) return [`${name} is missing`];
    return found.join() === shape.join() ? [] : [`${name} is [${found}], expected [${shape}]`];
  });
  const problems = [...wrong, ...unknown.map((name) => `${name} is not a weight of this configuration`)];
  if (problems.length > 0) {
    throw new Error(`The ${what} do not fit the model's configuration: ${problems.join('; ')}.`);
  }
}

class OrtPolicy implements Policy {
  readonly config: ModelConfig;
  readonly weights: TensorMap;
  readonly moments: Moments;
  readonly gradients: TensorMap;
  reference: TensorMap | undefined;
  private readonly runtime: Runtime;
  private readonly graphs: PolicyGraphs;

  constructor({ runtime, config, weights, moments, maxMicroBatchTokens }: PolicyOptions) {
    this.runtime = runtime;
    this.config = config;
    this.weights = weights;
    this.moments = moments ?? { expAvg: this.zeros(), expAvgSq: this.zeros() };
    this.gradients = this.zeros();
    this.graphs = new PolicyGraphs({ runtime, config, maxMicroBatchTokens });
  }

  /** A zero tensor a weight. */
  private zeros(): TensorMap {
    const shapes = [...expectedTensors(this.config)];
    return new Map(shapes.map(([name, shape]) => [name, this.runtime.createTensor('float32', shape)]));
  }

  trainStep(batch: TrainBatch): StepResult {
    const result = this.computeGradients(batch);
    this.update(result.gradNorm, batch.options);
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
    this.update(result.gradNorm, options);
    return result;
  }

  /** Leaves the batch's gradient in `gradients`. */
  private accumulate(
    objective: Objective,
    sequences: readonly Sequence[],
    perToken: Record<string, readonly Float32Array[]>,
    scalars: Scalars,
    packing = false,
  ): TokenOutputs {
    for (const gradient of this.gradients.values()) gradient.data.fill(0);
    const { weights, gradients } = this;
    return this.graphs.train({ objective, weights, gradients, sequences, perToken, scalars, packing });
  }

  private result(
    outputs: TokenOutputs,
    tokenWeights: readonly Float32Array[],
    clipping?: { advantagesB: ArrayLike<number>; range: ClipRange },
  ): StepResult {
    const gradNorm = globalNorm([...this.gradients.values()].map(({ data }) => data));
    return { ...stepMetrics(outputs, tokenWeights, gradNorm, clipping), logprobs: outputs.logprobs };
  }

  private update(gradNorm: number, options: UpdateOptions): void {
    if (!Number.isFinite(gradNorm)) {
      throw new Error(
        `The gradient's norm at step ${options.step} is ${gradNorm}; the weights were left as they are. ` +
          'Expected a finite number: look for a non-finite advantage, log-probability or weight in the batch.',
      );
    }
    const factor = clipFactor(gradNorm, options.max_grad_norm);
    for (const [name, weight] of this.weights) {
      const [gradient, expAvg, expAvgSq] = [
        tensorOf(this.gradients, name),
        tensorOf(this.moments.expAvg, name),
        tensorOf(this.moments.expAvgSq, name),
      ];
      const parameter = {
        name,
        weight: weight.data,
        gradient: gradient.data,
        expAvg: expAvg.data,
        expAvgSq: expAvgSq.data,
      };
      adamWUpdate(parameter, factor, options);
    }
  }

  logprobs(
    sequences: readonly Sequence[],
    { temperature, of }: { temperature: number; of: 'policy' | 'reference' },
  ): Scores {
    const weights = of === 'policy' ? this.weights : this.held();
    return this.graphs.score({ weights, sequences, temperature });
  }

  private held(): TensorMap {
    if (this.reference) return this.reference;
    throw new Error(
      'The policy has no reference: call setReference() before asking for its log-probabilities.',
    );
  }

  setReference(weights?: ReadonlyMap<string, ArrayLike<number>>): void {
    this.reference ??= this.zeros();
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
    for (const [name, { data: reference }] of this.held()) {
      const { data: weights } = tensorOf(this.weights, name);
      // π_ref ← α·π_θ + (1 − α)·π_ref
      for (let i = 0; i < reference.length; i += 1) {
        reference[i] = alpha * (weights[i] ?? 0) + (1 - alpha) * (reference[i] ?? 0);
      }
    }
  }

  dispose(): void {
    this.graphs.dispose();
    const { weights, gradients, moments, reference } = this;
    for (const tensors of [weights, gradients, moments.expAvg, moments.expAvgSq, reference]) {
      if (tensors) disposeAll(tensors);
    }
    this.reference = undefined;
  }
}

function tensorOf(tensors: TensorMap, name: string): FloatTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`There is no tensor "${name}".`);
  return tensor;
}
