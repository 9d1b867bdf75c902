import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig } from '../../../engine/model/architecture.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import type { Sequence } from '../../../engine/train/micro-batches.ts';
import type { StepResult } from '../../../engine/train/policy.ts';
import {
  grpoOptions,
  meanOfMeans,
  nanoConfig,
  randomPolicy,
  randomSequences,
  tinyConfig,
} from '../fixtures.ts';

const runtime = openRuntime({ threads: 1, spinning: false });

interface Step {
  result: StepResult;
  gradients: Map<string, Float32Array>;
}

/** A step whose learning rate is 0, and the gradients that it left. */
function stepOn(config: ModelConfig, sequences: Sequence[], packing: boolean): Step {
  const policy = randomPolicy({ runtime, config, seed: 5 });
  const result = policy.sftStep({
    sequences,
    tokenWeights: meanOfMeans(sequences),
    options: { ...grpoOptions, learning_rate: 0 },
    packing,
  });
  const gradients = new Map([...policy.gradients].map(([name, { data }]) => [name, data.slice()]));
  policy.dispose();
  return { result, gradients };
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - (b[i] ?? Number.NaN))) / Math.hypot(...b);
}

function worstDistance(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  return Math.max(...[...a].map(([name, values]) => distance(values, b.get(name) ?? new Float32Array())));
}

const shapes: Record<string, ModelConfig> = {
  'two query heads a key-value head': tinyConfig,
  'as many key-value heads as query heads': { ...tinyConfig, num_key_value_heads: 4 },
  'the nano model': { ...nanoConfig, num_key_value_heads: 2 },
};

for (const [name, config] of Object.entries(shapes)) {
  test(`packed sequences have the log-probabilities and the gradients of unpacked ones: ${name}`, (t) => {
    const sequences = randomSequences({
      config,
      rows: 15,
      promptLength: 9,
      completionLength: 30,
      ragged: true,
      seed: 8,
    });
    const [packed, unpacked] = [stepOn(config, sequences, true), stepOn(config, sequences, false)];
    const logprobs = Math.max(
      ...packed.result.logprobs.map((values, n) =>
        distance(values, unpacked.result.logprobs[n] ?? new Float32Array()),
      ),
    );
    const gradients = worstDistance(packed.gradients, unpacked.gradients);
    t.diagnostic(`relative difference: ${logprobs.toExponential(1)}, ${gradients.toExponential(1)}`);
    assert.ok(logprobs < 1e-5, `log-probabilities: ${logprobs}`);
    assert.ok(gradients < 1e-5, `gradients: ${gradients}`);
    assert.equal(packed.result.tokens, unpacked.result.tokens);
  });
}

test('other tokens in one packed sequence leave the log-probabilities of its neighbours as they are, bit for bit', () => {
  const sequences = Array.from(
    { length: 4 },
    (_, n): Sequence => ({
      promptTokens: Int32Array.of(1, 2 + n),
      completionTokens: Int32Array.from({ length: n === 0 ? 31 : 7 }, (_, i) => (n + i) % 11),
    }),
  );
  const changed = sequences.map((sequence, n) =>
    n === 2 ? { promptTokens: Int32Array.of(9, 9), completionTokens: new Int32Array(7).fill(10) } : sequence,
  );
  const [before, after] = [sequences, changed].map(
    (batch) => stepOn(tinyConfig, batch, true).result.logprobs,
  );
  for (const n of [0, 1, 3]) assert.deepEqual(after?.[n], before?.[n]);
  assert.notDeepEqual(after?.[2], before?.[2]);
});

test('packing a batch again gives the same bits', () => {
  const sequences = randomSequences({
    config: tinyConfig,
    rows: 20,
    promptLength: 6,
    completionLength: 12,
    ragged: true,
    seed: 4,
  });
  assert.deepEqual(stepOn(tinyConfig, sequences, true), stepOn(tinyConfig, sequences, true));
});
