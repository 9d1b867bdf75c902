import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig } from '../../../engine/model/architecture.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import type { Sequence } from '../../../engine/train/micro-batches.ts';
import type { Policy } from '../../../engine/train/policy.ts';
import type { PolicyGradientOptions, TrainBatch } from '../../../engine/train/train-batch.ts';
import { grpoOptions, meanOfMeans, normal, randomPolicy, randomSequences, tinyConfig } from '../fixtures.ts';
import {
  finiteDifferences,
  grpoLoss,
  sftLoss,
  tokenLogprobs,
  type Weights,
} from '../train/reference-model.ts';

const runtime = openRuntime({ threads: 1, spinning: false });

const untied = { ...tinyConfig, num_hidden_layers: 1, tie_word_embeddings: false, attention_bias: true };
const singleLayer = { ...tinyConfig, num_hidden_layers: 1 };
const ungrouped = { ...singleLayer, num_key_value_heads: 4 };

function float64(policy: Policy): Weights {
  return new Map([...policy.weights].map(([name, { data }]) => [name, Float64Array.from(data)]));
}

function sequencesFor(config: ModelConfig): Sequence[] {
  return randomSequences({ config, rows: 3, promptLength: 3, completionLength: 6, ragged: true, seed: 5 });
}

/** Log-probabilities near a policy's own, so that some ratios are clipped and some are not. */
function nearby(
  config: ModelConfig,
  weights: Weights,
  sequences: Sequence[],
  temperature: number,
  seed: number,
): Float32Array[] {
  const draw = normal(seed);
  return sequences.map((sequence) =>
    Float32Array.from(
      tokenLogprobs(config, weights, sequence, temperature),
      (logprob) => logprob + 0.4 * draw(),
    ),
  );
}

function policyBatch(
  config: ModelConfig,
  weights: Weights,
  given: { old: boolean; ref: boolean },
  options: Partial<PolicyGradientOptions>,
): TrainBatch {
  const sequences = sequencesFor(config);
  const temperature = options.temperature ?? 1;
  return {
    sequences,
    advantagesB: [1.3, -0.8, 0.6],
    oldLogprobs: given.old ? nearby(config, weights, sequences, temperature, 7) : null,
    refLogprobs: given.ref ? nearby(config, weights, sequences, temperature, 8) : null,
    tokenWeights: meanOfMeans(sequences),
    options: { ...grpoOptions, ...options },
  };
}

/** The largest ‖engine − differences‖ / ‖differences‖ of any weight tensor. */
function worstError(
  policy: Policy,
  expected: ReadonlyMap<string, Float64Array>,
): { name: string; error: number } {
  let worst = { name: 'none', error: 0 };
  for (const [name, gradient] of expected) {
    const found = policy.gradients.get(name)?.data ?? new Float32Array();
    const difference = Math.hypot(...gradient.map((value, i) => value - (found[i] ?? Number.NaN)));
    const error = difference / Math.hypot(...gradient);
    if (!(error <= worst.error)) worst = { name, error };
  }
  return worst;
}

const policyCases: [string, ModelConfig, { old: boolean; ref: boolean }, Partial<PolicyGradientOptions>][] = [
  ['the policy is its own old policy', tinyConfig, { old: false, ref: false }, { beta: 0 }],
  [
    'ratios are clipped and k3 is charged at temperature 0.7',
    singleLayer,
    { old: true, ref: true },
    { beta: 0.2, temperature: 0.7 },
  ],
  [
    'the clip is higher above, heads are not grouped',
    ungrouped,
    { old: true, ref: false },
    { epsilon_high: 0.5 },
  ],
  [
    'ratios are bounded on both sides and k3 is corrected for bias',
    singleLayer,
    { old: true, ref: true },
    { delta: 1.1, beta: 0.3, use_bias_correction_kl: true },
  ],
  [
    'epsilon is 10, so there is no lower bound',
    singleLayer,
    { old: true, ref: false },
    { epsilon: 10, epsilon_high: 10 },
  ],
  [
    "the ratio is a sequence's",
    singleLayer,
    { old: true, ref: true },
    { importance_sampling_level: 'sequence', epsilon: 0.05, epsilon_high: 0.05, beta: 0.1 },
  ],
  ['the loss is cispo', singleLayer, { old: true, ref: false }, { loss: 'cispo', epsilon_high: 1.2 }],
  ['embeddings are untied and projections biased', untied, { old: true, ref: true }, { beta: 0.2 }],
];

for (const [name, config, given, options] of policyCases) {
  test(`policy gradients agree with float64 finite differences where ${name}`, (t) => {
    const policy = randomPolicy({ runtime, config, seed: 3 });
    const weights = float64(policy);
    const batch = policyBatch(config, weights, given, options);
    const { loss } = policy.computeGradients(batch);
    const reference = grpoLoss(config, weights, batch);
    const { name: tensor, error } = worstError(policy, finiteDifferences(reference, weights));
    t.diagnostic(`worst relative error ${error.toExponential(1)} (${tensor})`);
    assert.ok(error < 5e-5, `${tensor}: ${error}`);
    assert.ok(Math.abs(loss - reference(weights)) < 1e-5, `loss ${loss}, expected ${reference(weights)}`);
    policy.dispose();
  });
}

for (const [name, config] of [
  ['tied embeddings and grouped queries', tinyConfig],
  ['untied embeddings and biases', untied],
] as const) {
  test(`cross-entropy gradients agree with float64 finite differences for ${name}`, (t) => {
    const policy = randomPolicy({ runtime, config, seed: 4 });
    const weights = float64(policy);
    const sequences = sequencesFor(config);
    const batch = {
      sequences,
      tokenWeights: meanOfMeans(sequences),
      options: { ...grpoOptions, learning_rate: 0 },
    };
    const { loss } = policy.sftStep(batch);
    const reference = sftLoss(config, batch);
    const { name: tensor, error } = worstError(policy, finiteDifferences(reference, weights));
    t.diagnostic(`worst relative error ${error.toExponential(1)} (${tensor})`);
    assert.ok(error < 5e-5, `${tensor}: ${error}`);
    assert.ok(Math.abs(loss - reference(weights)) < 1e-5);
    policy.dispose();
  });
}
