import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig } from '../../../engine/model/architecture.ts';
import { ModelConfigError } from '../../../engine/model/model-config.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import type { PreferenceBatch } from '../../../engine/train/preferences.ts';
import { RewardModel } from '../../../engine/train/reward-model.ts';
import { grpoOptions, nanoConfig, randomSequences, randomTensors, tinyConfig } from '../fixtures.ts';
import { finiteDifferences, preferenceLoss, sequenceScore, type Weights } from './reference-model.ts';

const runtime = openRuntime({ threads: 1, spinning: false });

const PAD = 0;
const rewardConfig: ModelConfig = {
  ...tinyConfig,
  architecture: 'LlamaForSequenceClassification',
  num_hidden_layers: 1,
  pad_token_id: PAD,
};

function openModel(config: ModelConfig, maxMicroBatchTokens?: number): RewardModel {
  return new RewardModel({
    runtime,
    config,
    weights: randomTensors(runtime, config, 6),
    maxMicroBatchTokens,
  });
}

const float64 = ({ parameters }: RewardModel): Weights =>
  new Map([...parameters.weights].map(([name, { data }]) => [name, Float64Array.from(data)]));

function sequencesFor(config: ModelConfig, rows: number): Int32Array[] {
  const shape = { config, rows, promptLength: 4, completionLength: 9, ragged: true, seed: 12 };
  return randomSequences(shape).map(({ promptTokens, completionTokens }) =>
    Int32Array.of(...promptTokens, ...completionTokens),
  );
}

function batchOf(objective: PreferenceBatch['objective'], config: ModelConfig): PreferenceBatch {
  const sequencesN = sequencesFor(config, 6);
  return {
    objective,
    sequencesN,
    labelsN: objective === 'pointwise' ? [1, 0, 0, 1, 1, 0] : null,
    lossWeightsN: sequencesN.map(() => (objective === 'pairwise' ? 1 / 3 : 1 / 6)),
    options: { ...grpoOptions, max_grad_norm: 0 },
  };
}

const shapes: Record<string, ModelConfig> = {
  'grouped queries': rewardConfig,
  'projections with biases and an untied embedding': {
    ...rewardConfig,
    attention_bias: true,
    tie_word_embeddings: false,
  },
};

for (const objective of ['pairwise', 'pointwise'] as const) {
  for (const [name, config] of Object.entries(shapes)) {
    test(`${objective} gradients agree with float64 finite differences: ${name}`, (t) => {
      const model = openModel(config);
      const weights = float64(model);
      const batch = batchOf(objective, config);
      const reference = preferenceLoss(config, batch);
      const { loss } = model.computeGradients(batch);
      const errors = [...finiteDifferences(reference, weights)].map(([tensor, gradient]) => {
        const found = model.parameters.gradients.get(tensor)?.data ?? new Float32Array();
        const difference = Math.hypot(...gradient.map((value, i) => value - (found[i] ?? Number.NaN)));
        return difference / Math.hypot(...gradient);
      });
      const worst = Math.max(...errors);
      t.diagnostic(`worst relative error ${worst.toExponential(1)}`);
      assert.ok(worst < 5e-5, String(worst));
      assert.ok(Math.abs(loss - reference(weights)) < 1e-5, `loss ${loss}, expected ${reference(weights)}`);
      model.dispose();
    });
  }

  test(`a ${objective} gradient does not depend on how its sequences are cut into micro-batches`, () => {
    const gradients = [8, 10_000].map((most) => {
      const model = openModel(rewardConfig, most);
      model.computeGradients(batchOf(objective, rewardConfig));
      const copies = [...model.parameters.gradients.values()].map(({ data }) => data.slice());
      model.dispose();
      return copies;
    });
    gradients[0]?.forEach((values, tensor) => {
      const other = gradients[1]?.[tensor] ?? new Float32Array();
      const difference = Math.hypot(...values.map((value, i) => value - (other[i] ?? Number.NaN)));
      assert.ok(difference / Math.hypot(...values) < 1e-5);
    });
  });

  test(`updates lower the ${objective} loss until every item is on its side`, () => {
    const model = openModel(rewardConfig);
    const batch = batchOf(objective, rewardConfig);
    const results = Array.from({ length: 60 }, (_, index) =>
      model.step({ ...batch, options: { ...batch.options, learning_rate: 3e-2, step: index + 1 } }),
    );
    assert.ok((results.at(-1)?.loss ?? 9) < (results[0]?.loss ?? 0) / 2);
    assert.equal(results.at(-1)?.accuracy, 1);
    model.dispose();
  });
}

test('a score is read at the last token that is no padding', () => {
  const model = openModel(rewardConfig);
  const tokens = Int32Array.of(3, 1, PAD, 4, 2);
  const [plain, padded, other] = model.score([
    tokens,
    Int32Array.of(...tokens, PAD, PAD),
    Int32Array.of(...tokens, 1),
  ]);
  assert.equal(padded, plain);
  assert.notEqual(other, plain);
  const expected = sequenceScore(rewardConfig, float64(model), [...tokens]);
  assert.ok(Math.abs((plain ?? 0) - expected) < 1e-5, `${plain}, expected ${expected}`);
  model.dispose();
});

test('scores come back in the order asked, whatever the lengths', () => {
  const model = openModel(rewardConfig, 16);
  const sequences = sequencesFor(rewardConfig, 9);
  const together = model.score(sequences);
  const apart = sequences.flatMap((sequence) => [...model.score([sequence])]);
  apart.forEach((score, n) => {
    assert.ok(Math.abs(score - (together[n] ?? Number.NaN)) < 1e-5);
  });
  model.dispose();
});

test('a batch that is no batch of its objective is refused', () => {
  const model = openModel(rewardConfig);
  const pairs = batchOf('pairwise', rewardConfig);
  const labels = batchOf('pointwise', rewardConfig);
  const one = (pairs.sequencesN[0] ?? new Int32Array()).slice();
  const refusals: [PreferenceBatch, RegExp][] = [
    [{ ...pairs, sequencesN: pairs.sequencesN.slice(1), lossWeightsN: [1, 1, 1, 1, 1] }, /in pairs, found 5/],
    [{ ...pairs, sequencesN: [], lossWeightsN: [] }, /at least one sequence/],
    [{ ...pairs, lossWeightsN: [1] }, /6 loss weights, found 1/],
    [{ ...labels, labelsN: null }, /6 labels, found 0/],
    [{ ...labels, labelsN: [0, 1, 2, 0, 1, 0] }, /labels 0 and 1, found 2/],
    [{ ...pairs, sequencesN: [one, Int32Array.of(99)], lossWeightsN: [1, 1] }, /sequence 1: .*found 99/],
    [{ ...pairs, sequencesN: [one, new Int32Array(65)], lossWeightsN: [1, 1] }, /1 to 64 tokens, found 65/],
  ];
  for (const [batch, message] of refusals) assert.throws(() => model.computeGradients(batch), message);
  model.dispose();
});

test('a model without a scalar head is no reward model', () => {
  const weights = randomTensors(runtime, nanoConfig, 1);
  assert.throws(() => new RewardModel({ runtime, config: nanoConfig, weights }), ModelConfigError);
});
