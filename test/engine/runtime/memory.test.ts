/** What a trainer holds while it trains, and what is left of it once the policy is given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf } from '../../../contracts/format/dtypes.ts';
import { expectedTensors, type ModelConfig } from '../../../engine/model/architecture.ts';
import { formatModelConfig } from '../../../engine/model/model-config.ts';
import { collectGarbage } from '../../../engine/runtime/memory.ts';
import type { SupervisedArrays } from '../../../engine/service/policy-service.ts';
import { type EngineThread, startEngineThread } from '../../../engine/service/thread.ts';
import { encodeSafetensors, type StoredTensors } from '../../../engine/weights/safetensors.ts';
import { nanoConfig, tinyConfig } from '../fixtures.ts';

const MEBIBYTE = 2 ** 20;

/** Some 25 million parameters: 100 MB of weights, and five times that with moments, gradient and reference. */
const large: ModelConfig = {
  ...nanoConfig,
  vocab_size: 4096,
  hidden_size: 512,
  intermediate_size: 1536,
  num_hidden_layers: 6,
  num_attention_heads: 8,
  num_key_value_heads: 8,
  head_dim: 64,
  pad_token_id: 0,
};
const small: ModelConfig = { ...tinyConfig, head_dim: 8, pad_token_id: 0 };

const batch: SupervisedArrays = {
  objective: 'sft',
  promptsN: [Int32Array.of(1, 2), Int32Array.of(3)],
  completionsN: [Int32Array.of(4, 5), Int32Array.of(6, 7, 8)],
  lossWeightsN: new Float32Array(2).fill(0.5),
  labelsN: null,
  packing: false,
  numbers: {
    learning_rate: 1e-4,
    max_grad_norm: 1,
    weight_decay: 0,
    adam_beta1: 0.9,
    adam_beta2: 0.999,
    adam_epsilon: 1e-8,
    adam_step: 1,
  },
  digestAfter: false,
};

test('the memory of a policy goes back to the system when it is released', { timeout: 600_000 }, async () => {
  const engine = startEngineThread({ threads: 1 });
  try {
    await hold(engine, small);
    const before = await released(engine);
    await hold(engine, large);
    const held = process.memoryUsage.rss();
    assert.ok(held - before > 400 * MEBIBYTE, `held ${megabytes(held - before)} more`);
    const after = await released(engine);
    assert.ok(
      after - before < 80 * MEBIBYTE,
      `${megabytes(after - before)} of ${megabytes(held - before)} stay`,
    );
  } finally {
    await engine.close();
  }
});

/** As a trainer does it: loads, samples, trains, exports. */
async function hold(engine: EngineThread, config: ModelConfig): Promise<void> {
  const file = { config: JSON.parse(formatModelConfig(config)), model: encodeSafetensors(weightsOf(config)) };
  await engine.callMoving('load', { ...file, moments: null, reference: null, withReference: true });
  await engine.call('sample', {
    prompts: [Int32Array.of(1, 2, 3)],
    seeds: ['1'],
    sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 16 },
    eosTokenIds: [0],
  });
  await engine.call('trainSupervised', batch);
  await engine.call('stage');
}

async function released(engine: EngineThread): Promise<number> {
  await engine.call('release');
  collectGarbage();
  return process.memoryUsage.rss();
}

function weightsOf(config: ModelConfig): StoredTensors {
  const shapes = [...expectedTensors(config)];
  return new Map(
    shapes.map(([name, shape]) => {
      const data = new Float32Array(elementsOf(shape)).fill(shape.length === 1 ? 1 : 0.01);
      return [name, { dtype: 'F32', shape, data }];
    }),
  );
}

const megabytes = (bytes: number) => `${Math.round(bytes / MEBIBYTE)} MiB`;
