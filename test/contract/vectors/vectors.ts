/** The test vectors in `contracts/vectors/`, from the code that runs use. */
import { createHash } from 'node:crypto';
import { philox4x32, type Words2, type Words4 } from '../../../algorithm/random/philox.ts';
import {
  deriveSeed,
  fnv1a32,
  formatSeed,
  parseSeed,
  permutation,
  uniformAt,
} from '../../../algorithm/random/seeds.ts';
import { lossWeights } from '../../../algorithm/rl/loss-weights.ts';
import { elementsSum, fingerprintOfSums, mix64, tensorSum } from '../../../algorithm/run/fingerprint.ts';
import { policyAfter, policyOfWeights } from '../../../algorithm/run/policy-id.ts';
import {
  decodeTensor,
  elementsOf,
  littleEndianBytes,
  type Tensor,
} from '../../../contracts/format/dtypes.ts';
import seeds from '../../../contracts/vectors/seeds.json' with { type: 'json' };
import { adamWUpdate, clipFactor, globalNorm } from '../../../engine/train/adamw.ts';
import { digestLine, digestTensors } from '../../../engine/weights/digest.ts';
import { type LossNumbers, policyLoss } from './losses.ts';

/** The text of each file, by its name. */
export function vectorFiles(): Map<string, string> {
  const files = {
    seeds: seedVectors(),
    digests: digestVectors(),
    fingerprints: fingerprintVectors(),
    'policy-ids': policyIdVectors(),
    losses: lossVectors(),
    adamw: adamwVectors(),
  };
  return new Map(
    Object.entries(files).map(([name, vectors]) => [`${name}.json`, `${JSON.stringify(vectors, null, 2)}\n`]),
  );
}

/** Inputs are those in the file. */
function seedVectors(): typeof seeds {
  const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));
  const hex = (values: readonly number[]) =>
    values.map((word) => word.toString(16).padStart(8, '0')).join(' ');
  return {
    philox4x32: seeds.philox4x32.map(({ counter, key }) => ({
      counter,
      key,
      output: hex(philox4x32(words(counter) as unknown as Words4, words(key) as unknown as Words2)),
    })),
    fnv1a32: seeds.fnv1a32.map(({ text }) => ({ text, hash: hex([fnv1a32(text)]) })),
    deriveSeed: seeds.deriveSeed.map(({ seed: _, runSeed, ...purpose }) => ({
      runSeed,
      ...purpose,
      seed: formatSeed(deriveSeed({ ...purpose, runSeed: parseSeed(runSeed) })),
    })),
    uniformAt: seeds.uniformAt.map(({ seed, position }) => ({
      seed,
      position,
      uniform: uniformAt(parseSeed(seed), position),
    })),
    permutation: seeds.permutation.map(({ seed, n }) => ({
      seed,
      n,
      order: permutation(parseSeed(seed), n),
    })),
  };
}

type WeightTensor = Tensor<'F32' | 'BF16' | 'F16'>;

/** Elements of many bit patterns: signs, zeros, subnormals and large numbers. */
function patterned<D extends WeightTensor['dtype']>(dtype: D, shape: number[], seed: bigint): Tensor<D> {
  const bytes = Buffer.alloc(elementsOf(shape) * (dtype === 'F32' ? 4 : 2));
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(uniformAt(seed, i) * 256);
  return decodeTensor(dtype, shape, bytes);
}

const hexOf = ({ data }: WeightTensor) => Buffer.from(littleEndianBytes(data)).toString('hex');

const parts: Record<string, Record<string, WeightTensor>> = {
  'the example of engine/weights/digest.ts': {
    b: { dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) },
    a: { dtype: 'F32', shape: [1, 1], data: Float32Array.of(0.5) },
  },
  'three dtypes, in another order than by name': {
    'model.norm.weight': patterned('F16', [5], 3n),
    'model.embed_tokens.weight': patterned('F32', [3, 4], 1n),
    'model.layers.10.mlp.up_proj.weight': patterned('BF16', [2, 3], 2n),
    'model.layers.2.mlp.up_proj.weight': patterned('BF16', [2, 3], 4n),
  },
  'the same bytes under two dtypes, a scalar and a tensor without elements': {
    brain: { dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0x8000) },
    half: { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3f80, 0x8000) },
    scalar: { dtype: 'F32', shape: [], data: Float32Array.of(-0) },
    none: { dtype: 'F32', shape: [0, 3], data: Float32Array.of() },
  },
};

const stored = (tensors: Record<string, WeightTensor>) =>
  Object.entries(tensors).map(([name, tensor]) => ({
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    bytes: hexOf(tensor),
  }));

function digestVectors() {
  return Object.entries(parts).map(([what, tensors]) => ({
    what,
    tensors: stored(tensors),
    lines: Object.entries(tensors)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { shape, data, dtype }]) => digestLine(name, shape, data, dtype)),
    digest: digestTensors(new Map(Object.entries(tensors))),
  }));
}

const hex64 = (value: bigint) => value.toString(16).padStart(16, '0');

function fingerprintVectors() {
  return {
    mix64: [0n, 1n, 2n, 0x9e3779b97f4a7c15n, 2n ** 64n - 1n].map((value) => ({
      value: hex64(value),
      mixed: hex64(mix64(value)),
    })),
    elements: [
      [0n, 0n],
      [0n, 0x3f800000n],
      [1n, 0x3f800000n],
      [2n ** 33n, 0xbf80n],
    ].map(([index = 0n, bits = 0n]) => ({
      index: String(index),
      bits: bits.toString(16),
      sum: hex64(elementsSum([[index, bits]])),
    })),
    tensors: Object.entries(parts).map(([what, tensors]) => {
      const sums = new Map(Object.entries(tensors).map(([name, tensor]) => [name, tensorSum(tensor)]));
      return {
        what,
        tensors: stored(tensors).map((tensor) => ({ ...tensor, sum: hex64(sums.get(tensor.name) ?? 0n) })),
        fingerprint: fingerprintOfSums(sums),
      };
    }),
  };
}

function policyIdVectors() {
  const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');
  return [1, 2].map((start) => {
    const digest = sha256Of(`weights ${start}`);
    const first = policyOfWeights(digest);
    const steps: { batch: string; policy: string }[] = [];
    for (let step = 1; step <= 3; step++) {
      const batch = sha256Of(`batch ${step} of ${start}`);
      steps.push({ batch, policy: policyAfter(steps.at(-1)?.policy ?? first, batch) });
    }
    return { digest, policy: first, steps };
  });
}

const LENGTHS = [3, 3, 4, 1];
const MOST_TOKENS = 4;
const ADVANTAGES = [1.25, -0.75, 0.5, -1.5];
const LOGPROBS = [-0.2, -1.5, -0.05, -2.25, -0.7, -0.6, -0.4, -3.1, -0.9, -1.1, -0.35];
/** log ρ: within the range, and beyond it on both sides for both signs of the advantage. */
const LOG_RATIOS = [0.02, 0.5, -0.6, 0.45, -0.5, 0.05, -0.1, 0.3, 0.9, -0.9, 1.4];
/** log π_ref − log π */
const REFERENCE = [0.1, -0.2, 0.05, 0.6, -0.5, -0.15, 0, 0.3, -0.9, 0.02, -0.04];

const lossCases: {
  what: string;
  loss_type?: 'grpo' | 'dapo' | 'bnpo' | 'dr_grpo';
  mask?: boolean;
  own?: boolean;
  tokenWeights?: boolean;
  numbers?: Partial<LossNumbers>;
}[] = [
  { what: 'grpo' },
  { what: 'dapo', loss_type: 'dapo' },
  { what: 'bnpo', loss_type: 'bnpo' },
  { what: 'dr_grpo', loss_type: 'dr_grpo' },
  { what: 'dapo with truncated completions masked', loss_type: 'dapo', mask: true },
  { what: 'log-probabilities of the pass itself as the old ones', own: true },
  { what: 'a higher range above', numbers: { epsilon_high: 0.6 } },
  { what: 'the paper’s range of 10', numbers: { epsilon: 10, epsilon_high: 10 } },
  { what: 'an upper bound of the ratio', numbers: { delta: 2 } },
  { what: 'beta', numbers: { beta: 0.04 } },
  { what: 'beta with the bias correction', numbers: { beta: 0.04, use_bias_correction_kl: true } },
  {
    what: 'beta, with log-probabilities of the pass itself as the old ones',
    own: true,
    numbers: { beta: 0.04, use_bias_correction_kl: true },
  },
  { what: 'a weight for each token', tokenWeights: true, numbers: { beta: 0.04 } },
  {
    what: 'everything',
    loss_type: 'dr_grpo',
    tokenWeights: true,
    numbers: { epsilon: 0.1, epsilon_high: 0.28, delta: 3, beta: 0.1, use_bias_correction_kl: true },
  },
];

function lossVectors() {
  return lossCases.map(({ what, loss_type = 'grpo', mask = false, own = false, tokenWeights, numbers }) => {
    const input = {
      numbers: {
        epsilon: 0.2,
        epsilon_high: 0.2,
        delta: null,
        beta: 0,
        use_bias_correction_kl: false,
        ...numbers,
      },
      lengthsN: LENGTHS,
      advantagesN: ADVANTAGES,
      lossWeightsN: lossWeights(
        LENGTHS.map((tokens) => ({ tokens, truncated: tokens === MOST_TOKENS })),
        { loss_type, mask_truncated_completions: mask, max_completion_length: MOST_TOKENS },
      ),
      tokenWeightsT: tokenWeights ? LOGPROBS.map((_, t) => 0.5 + t / 8) : null,
      logprobsT: LOGPROBS,
      oldT: own ? null : LOGPROBS.map((logprob, t) => logprob - (LOG_RATIOS[t] ?? 0)),
      referenceT: numbers?.beta ? LOGPROBS.map((logprob, t) => logprob + (REFERENCE[t] ?? 0)) : null,
    };
    return { what, loss_type, ...input, ...policyLoss(input) };
  });
}

/** Three updates of a matrix and of a norm's scale, from no moments on: the gradients are clipped at the first two. */
function adamwVectors() {
  const options = {
    learning_rate: 3e-3,
    adam_beta1: 0.9,
    adam_beta2: 0.99,
    adam_epsilon: 1e-8,
    weight_decay: 0.1,
    max_grad_norm: 1,
  };
  const drawn = (seed: bigint, n: number, scale: number) =>
    Float32Array.from({ length: n }, (_, i) => scale * (uniformAt(seed, i) - 0.5));
  const parameters = [
    ['model.layers.0.mlp.up_proj.weight', 6, 1n],
    ['model.norm.weight', 3, 2n],
  ] as const;
  const state = parameters.map(([name, n, seed]) => ({
    name,
    weight: drawn(seed, n, 2),
    expAvg: new Float32Array(n),
    expAvgSq: new Float32Array(n),
  }));
  const list = (values: Float32Array) => [...values];
  const start = state.map(({ name, weight }) => ({ name, weight: list(weight) }));
  const updates = [8, 4, 0.1].map((scale, index) => {
    const gradients = state.map(({ weight }, p) => drawn(BigInt(10 * index + p + 3), weight.length, scale));
    const gradNorm = globalNorm(gradients);
    const factor = clipFactor(gradNorm, options.max_grad_norm);
    state.forEach((parameter, p) => {
      const gradient = gradients[p] ?? new Float32Array();
      adamWUpdate({ ...parameter, gradient }, factor, { ...options, step: index + 1 });
    });
    return {
      adam_step: index + 1,
      gradients: gradients.map(list),
      gradNorm,
      factor,
      after: state.map(({ weight, expAvg, expAvgSq }) => ({
        weight: list(weight),
        exp_avg: list(expAvg),
        exp_avg_sq: list(expAvgSq),
      })),
    };
  });
  return { about: 'weights and moments are float32, arithmetic is float64', options, start, updates };
}
