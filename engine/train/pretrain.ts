/**
 * Pre-trains a base model: next-token prediction on the responses of a corpus drawn from a seed. The same
 * options under the same numerics give the same bits, step by step.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type NanoExample, type NanoMixture, nanoExample } from '../../algorithm/nano/corpus.ts';
import { learningRateAt } from '../../algorithm/rl/schedules.ts';
import type { PretrainingRecord, PretrainOptions } from '../../contracts/pretrain.ts';
import { type ModelConfig, parameterCount } from '../model/architecture.ts';
import { initialWeights } from '../model/initial-weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { digestTensors } from '../weights/digest.ts';
import type { StoredTensors } from '../weights/safetensors.ts';
import { storedTensors } from '../weights/weights.ts';
import type { Sequence } from './micro-batches.ts';
import { createPolicy, type Policy } from './policy.ts';

export interface PretrainInput {
  runtime: Runtime;
  config: ModelConfig;
  options: PretrainOptions;
  /** the tokens of an example: prompt, and response with its end token */
  sequenceOf: (example: NanoExample) => Sequence;
  onStep?: (step: PretrainStep) => void;
  /** ends early, with the schedule of the whole run; by default at `max_steps` */
  stopAfter?: number;
}

interface PretrainStep {
  step: number;
  /** nats per token */
  loss: number;
  gradNorm: number;
  learningRate: number;
  /** of this step's responses */
  tokens: number;
  seconds: number;
}

export interface Pretrained {
  weights: StoredTensors;
  record: PretrainingRecord;
}

/** Steps after which the weights' digest is recorded, besides the last. */
const DIGEST_STEPS = [0, 1, 20];

/** Trains from initial weights. Throws where the gradient is not finite. */
export async function pretrain(input: PretrainInput): Promise<Pretrained> {
  const { runtime, config, options, stopAfter = options.max_steps } = input;
  const policy = createPolicy({ runtime, config, weights: nativeWeights(input) });
  try {
    const digests: Record<string, string> = { 0: digestOf(policy) };
    let last = { loss: Number.NaN, tokens: 0 };
    let tokens = 0;
    for (let step = 1; step <= stopAfter; step++) {
      last = takeStep(policy, input, step);
      tokens += last.tokens;
      if (DIGEST_STEPS.includes(step) || step === stopAfter) digests[step] = digestOf(policy);
      await turn();
    }
    const { numerics } = runtime;
    const parameters = parameterCount(config);
    return {
      weights: copied(storedTensors(policy.weights)),
      record: { options, numerics, parameters, digests, loss: last.loss, tokens },
    };
  } finally {
    policy.dispose();
  }
}

function takeStep(policy: Policy, input: PretrainInput, step: number): PretrainStep {
  const started = performance.now();
  const { options, onStep } = input;
  const sequences = batchOf(input, step);
  const tokens = sequences.reduce((sum, { completionTokens }) => sum + completionTokens.length, 0);
  // Every token of the batch weighs the same: the loss is the mean over all of them.
  const tokenWeights = sequences.map(({ completionTokens }) =>
    new Float32Array(completionTokens.length).fill(1 / tokens),
  );
  const learningRate = learningRateOf(options, step);
  const { loss, gradNorm } = policy.sftStep({
    sequences,
    tokenWeights,
    options: { ...options.optimiser, learning_rate: learningRate, step },
  });
  const done = { step, loss, gradNorm, learningRate, tokens, seconds: (performance.now() - started) / 1000 };
  onStep?.(done);
  return done;
}

/** Step n trains on examples (n−1)·B … n·B − 1 of the corpus: each is used once. */
function batchOf({ options, sequenceOf }: PretrainInput, step: number): Sequence[] {
  const { batch_size, seed } = options;
  const mixture = mixtureOf(options);
  return Array.from({ length: batch_size }, (_, index) =>
    sequenceOf(nanoExample((step - 1) * batch_size + index, BigInt(seed), mixture)),
  );
}

function mixtureOf({ mixture }: PretrainOptions): NanoMixture {
  const { guess_range, home_slips, foreign_slips, slip_range, ...same } = mixture;
  return {
    ...same,
    guessRange: guess_range,
    homeSlips: home_slips,
    foreignSlips: foreign_slips,
    slipRange: slip_range,
  };
}

function learningRateOf({ optimiser, max_steps }: PretrainOptions, step: number): number {
  return learningRateAt(step, { ...optimiser, lr_scheduler_type: 'cosine_with_min_lr', max_steps });
}

function nativeWeights({ runtime, config, options }: PretrainInput) {
  const drawn = [...initialWeights(config, BigInt(options.seed))];
  return new Map(
    drawn.map(([name, { shape, data }]) => [name, runtime.createTensor('float32', shape, data)]),
  );
}

const digestOf = (policy: Policy) => digestTensors(storedTensors(policy.weights));

/** Copies from native memory, which is freed with the policy. */
function copied(tensors: StoredTensors): StoredTensors {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
}
