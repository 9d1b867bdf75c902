import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from '../../../engine/graph/onnx.ts';
import { elementCount } from '../../../engine/graph/tensor.ts';
import {
  expectedTensors,
  isRewardModel,
  type ModelConfig,
  parameterCount,
  rewardArchitecture,
} from '../../../engine/model/architecture.ts';
import { causalMask, rotaryTables } from '../../../engine/model/attention-inputs.ts';
import { buildSequenceGraph } from '../../../engine/model/full-attention.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { nanoConfig, tinyConfig, uniform } from '../fixtures.ts';

/** HuggingFaceTB/SmolLM2-135M */
const smolLM2: ModelConfig = {
  ...nanoConfig,
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  head_dim: 64,
};

test('tied embeddings leave out the output projection', () => {
  const tied = expectedTensors(smolLM2);
  const untied = expectedTensors({ ...smolLM2, tie_word_embeddings: false });
  assert.equal(tied.has('lm_head.weight'), false);
  assert.deepEqual(untied.get('lm_head.weight'), [49152, 576]);
  assert.equal(tied.size, 30 * 9 + 2);
  assert.deepEqual(tied.get('model.layers.29.self_attn.k_proj.weight'), [192, 576]);
  assert.deepEqual(tied.get('model.layers.0.mlp.down_proj.weight'), [576, 1536]);
  assert.equal(parameterCount(smolLM2), 134_515_008);
});

test('biases of attention are demanded where the configuration has them', () => {
  const biased = expectedTensors({ ...smolLM2, attention_bias: true });
  assert.deepEqual(biased.get('model.layers.3.self_attn.v_proj.bias'), [192]);
  assert.equal(biased.size, 30 * 13 + 2);
});

test('a reward model has a scalar head instead of the output projection', () => {
  const architecture = rewardArchitecture('LlamaForCausalLM');
  assert.equal(architecture, 'LlamaForSequenceClassification');
  const config = { ...smolLM2, architecture, tie_word_embeddings: false };
  assert.ok(isRewardModel(config) && !isRewardModel(smolLM2));
  assert.deepEqual(expectedTensors(config).get('score.weight'), [1, 576]);
  assert.equal(expectedTensors(config).get('lm_head.weight'), undefined);
  assert.equal(parameterCount(config), 134_515_008 + 576);
});

const runtime = openRuntime({ threads: 1, spinning: false });

/** Logits of five tokens by weights drawn from a seed, the query projections multiplied by a factor. */
function logitsOf(tensors: ReadonlyMap<string, readonly number[]>, factor: number): number[] {
  const config = { ...tinyConfig, rms_norm_eps: 1e-12 };
  const { graph, model, hidden } = buildSequenceGraph(config, 'padded', tensors);
  graph.output('logits', model.head(hidden));
  const draw = uniform(3);
  const weights = [...tensors].map(([name, shape]) => {
    const scale = name.includes('q_proj') ? factor : 1;
    const values = Array.from({ length: elementCount(shape) }, () => scale * (draw() - 0.4));
    return [name, runtime.createTensor('float32', shape, values)] as const;
  });
  const T = 5;
  const { cos, sin } = rotaryTables(config, T);
  const { logits } = runtime.createSession(serialize(graph)).run(
    {
      ...Object.fromEntries(weights),
      tokens: runtime.createTensor('int64', [1, T], [1n, 4n, 2n, 8n, 5n]),
      position: runtime.createTensor('int64', [1]),
      cos: runtime.createTensor('float32', [T, config.head_dim / 2], cos),
      sin: runtime.createTensor('float32', [T, config.head_dim / 2], sin),
      causalMask: runtime.createTensor('float32', [T, T], causalMask(T)),
    },
    { logits: null },
  );
  return Array.from(logits?.data ?? [], Number);
}

test('queries and keys are normed head by head where the model has weights for it', () => {
  const plain = expectedTensors(tinyConfig);
  const withNorms = new Map(plain);
  for (let layer = 0; layer < tinyConfig.num_hidden_layers; layer += 1)
    for (const norm of ['q_norm', 'k_norm'])
      withNorms.set(`model.layers.${layer}.self_attn.${norm}.weight`, [tinyConfig.head_dim]);
  const difference = (tensors: ReadonlyMap<string, readonly number[]>) => {
    const [once, thrice] = [logitsOf(tensors, 1), logitsOf(tensors, 3)];
    return Math.max(...once.map((logit, i) => Math.abs(logit - (thrice[i] ?? Number.NaN))));
  };
  assert.ok(difference(withNorms) < 1e-4, 'a norm takes out the size of the queries');
  assert.ok(difference(plain) > 1e-2, 'without a norm the size of the queries matters');
});
