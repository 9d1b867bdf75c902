/** A model's tensors in native memory: weights, and for training a gradient and two moments of each. */

import { disposeAll, type FloatTensor, type TensorMap } from '../graph/tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { adamWUpdate, clipFactor, globalNorm } from '../train/adamw.ts';
import type { UpdateOptions } from '../train/train-batch.ts';
import { refuseOtherTensors } from '../weights/weights.ts';
import { expectedTensors, type ModelConfig } from './architecture.ts';
import { nativeTensors, type WeightsInput } from './weights-loader.ts';

/** The optimizer's state, by weight name. */
export interface Moments {
  expAvg: TensorMap;
  expAvgSq: TensorMap;
}

export interface ParametersOptions {
  runtime: Runtime;
  config: ModelConfig;
  /** By Hugging Face name; owned by the parameters, which dispose of them. */
  weights: TensorMap;
  /** Zeros unless given; also owned by the parameters. */
  moments?: Moments | undefined;
}

export class Parameters {
  readonly config: ModelConfig;
  readonly weights: TensorMap;
  private readonly runtime: Runtime;
  private allocatedMoments: Moments | undefined;
  private allocatedGradients: TensorMap | undefined;

  /** Throws where a weight is missing, unknown or of another shape than the configuration's. */
  constructor({ runtime, config, weights, moments }: ParametersOptions) {
    checkTensors('weights', config, weights);
    if (moments) {
      checkTensors('moments exp_avg', config, moments.expAvg);
      checkTensors('moments exp_avg_sq', config, moments.expAvgSq);
    }
    this.runtime = runtime;
    this.config = config;
    this.weights = weights;
    this.allocatedMoments = moments;
  }

  /** Allocated at the first use: a model that only scores never needs them. */
  get moments(): Moments {
    this.allocatedMoments ??= { expAvg: this.zeros(), expAvgSq: this.zeros() };
    return this.allocatedMoments;
  }

  /** The gradient of the last step, before clipping; also allocated at the first use. */
  get gradients(): TensorMap {
    this.allocatedGradients ??= this.zeros();
    return this.allocatedGradients;
  }

  /** A tensor of zeros for each weight. */
  zeros(): TensorMap {
    const shapes = [...expectedTensors(this.config)];
    return new Map(shapes.map(([name, shape]) => [name, this.runtime.createTensor('float32', shape)]));
  }

  clearGradients(): void {
    for (const gradient of this.gradients.values()) gradient.data.fill(0);
  }

  gradientNorm(): number {
    return globalNorm([...this.gradients.values()].map(({ data }) => data));
  }

  /** Clips the gradient and updates the weights. Throws, without an update, where the gradient is not finite. */
  update(gradNorm: number, options: UpdateOptions, onTensor: () => void = () => undefined): void {
    if (!Number.isFinite(gradNorm)) {
      throw new Error(
        `The gradient's norm at step ${options.step} is ${gradNorm}; the weights were not changed. ` +
          'Expected a finite number: look for a non-finite advantage, log-probability or weight in the batch.',
      );
    }
    const factor = clipFactor(gradNorm, options.max_grad_norm);
    for (const [name, { data: weight }] of this.weights) {
      const [gradient, expAvg, expAvgSq] = [
        tensorOf(this.gradients, name).data,
        tensorOf(this.moments.expAvg, name).data,
        tensorOf(this.moments.expAvgSq, name).data,
      ];
      adamWUpdate({ name, weight, gradient, expAvg, expAvgSq }, factor, options);
      onTensor();
    }
  }

  dispose(): void {
    const { allocatedMoments: moments, allocatedGradients: gradients, weights } = this;
    for (const tensors of [weights, gradients, moments?.expAvg, moments?.expAvgSq]) {
      if (tensors) disposeAll(tensors);
    }
  }
}

export function tensorOf(tensors: TensorMap, name: string): FloatTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`There is no tensor "${name}".`);
  return tensor;
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

const MOMENT_PREFIXES = { expAvg: 'exp_avg.', expAvgSq: 'exp_avg_sq.' } as const;

/** Both moments from a safetensors file. Throws WeightsError. */
export function nativeMoments(
  runtime: Runtime,
  config: ModelConfig,
  file: WeightsInput,
  onTensor: () => void = () => undefined,
): Moments {
  const tensors = nativeTensors(runtime, file, 'the moments', onTensor);
  try {
    const part = (prefix: string) => {
      const own = [...tensors].filter(([name]) => name.startsWith(prefix));
      const unprefixed = new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
      return inOrder(unprefixed, config, `the moments ${prefix}*`);
    };
    return { expAvg: part(MOMENT_PREFIXES.expAvg), expAvgSq: part(MOMENT_PREFIXES.expAvgSq) };
  } catch (error) {
    disposeAll(tensors);
    throw error;
  }
}

function inOrder(tensors: TensorMap, config: ModelConfig, source: string): TensorMap {
  refuseOtherTensors(tensors, config, source, () => false);
  return new Map([...expectedTensors(config).keys()].map((name) => [name, tensorOf(tensors, name)]));
}

/** Both moments in one map, as a checkpoint stores them: `exp_avg.NAME` and `exp_avg_sq.NAME`. */
export function momentTensors({ expAvg, expAvgSq }: Moments): TensorMap {
  const named = (prefix: string, tensors: TensorMap) =>
    [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
  return new Map([...named(MOMENT_PREFIXES.expAvg, expAvg), ...named(MOMENT_PREFIXES.expAvgSq, expAvgSq)]);
}
