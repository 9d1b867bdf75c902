import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterCount } from '../../../engine/model/architecture.ts';
import {
  formatModelConfig,
  ModelConfigError,
  parseModelConfig,
  parsePolicyConfig,
} from '../../../engine/model/model-config.ts';

const smolLM2 = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  attention_bias: false,
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: 'silu',
  hidden_size: 576,
  intermediate_size: 1536,
  max_position_embeddings: 8192,
  mlp_bias: false,
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_interleaved: false,
  rope_scaling: null,
  rope_theta: 100000,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_cache: true,
  vocab_size: 49152,
};

const refused = (change: object, message: RegExp) =>
  assert.throws(
    () => parseModelConfig({ ...smolLM2, ...change }, 'the/config.json'),
    (error) => error instanceof ModelConfigError && message.test(error.message),
  );

test('a published Llama configuration is read with its head size derived', () => {
  const config = parseModelConfig(smolLM2);
  assert.equal(config.head_dim, 64);
  assert.equal(config.rope_theta, 100000);
  assert.equal(parameterCount(config), 134_515_008);
});

test('the rotary base is found inside rope_parameters too', () => {
  const { rope_theta: _, ...older } = smolLM2;
  const rope_parameters = { rope_theta: 5000, rope_type: 'default' };
  assert.equal(parseModelConfig({ ...older, rope_parameters }).rope_theta, 5000);
});

test('absent optional keys take the values that transformers gives them', () => {
  const { rope_theta, tie_word_embeddings, num_key_value_heads, ...rest } = smolLM2;
  const config = parseModelConfig(rest);
  assert.deepEqual(
    [config.rope_theta, config.tie_word_embeddings, config.num_key_value_heads],
    [10000, false, 9],
  );
});

test('a configuration written and read again is the same', () => {
  const config = parseModelConfig(smolLM2);
  assert.deepEqual(parseModelConfig(JSON.parse(formatModelConfig(config))), config);
});

test('what would change the mathematics is refused by the name of its key', () => {
  refused({ model_type: 'qwen2' }, /the\/config\.json.*\n {2}model_type: .*"llama".*"qwen2"/);
  refused({ architectures: ['MistralForCausalLM'] }, /architectures\.0: .*MistralForCausalLM/);
  refused({ hidden_act: 'gelu' }, /hidden_act: .*"silu".*"gelu"/);
  refused({ rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling\.type: .*"linear"/);
  refused({ rope_parameters: { rope_type: 'llama3' } }, /rope_parameters\.rope_type: .*"llama3"/);
  refused({ mlp_bias: true }, /mlp_bias/);
  refused({ quantization_config: { bits: 4 } }, /quantization_config/);
});

test('impossible sizes and missing keys are refused, all of them at once', () => {
  refused({ num_key_value_heads: 2 }, /num_key_value_heads: expected a divisor of num_attention_heads \(9\)/);
  refused({ hidden_size: 577 }, /head_dim/);
  refused({ head_dim: 36 }, /head_dim: .*multiple of 8, found 36/);
  refused(
    { vocab_size: undefined, hidden_size: 'wide' },
    /vocab_size: [^$]*hidden_size: |hidden_size: [^$]*vocab_size: /,
  );
});

const rewardModel = {
  ...smolLM2,
  architectures: ['LlamaForSequenceClassification'],
  pad_token_id: 2,
  num_labels: 1,
};

test('labels are counted as transformers counts them, and only one makes a scalar head', () => {
  const { num_labels: _, ...unnumbered } = rewardModel;
  const id2label = { 0: 'LABEL_0' };
  assert.equal(parseModelConfig({ ...unnumbered, id2label }).architecture, 'LlamaForSequenceClassification');
  assert.throws(() => parseModelConfig(unnumbered), /num_labels: expected 1, a scalar head, found 2/);
  assert.throws(() => parseModelConfig({ ...rewardModel, num_labels: 3 }), /found 3/);
});

test('a scalar head without a padding token is refused', () => {
  refused({ ...rewardModel, pad_token_id: null }, /pad_token_id: expected a token that pads, found none/);
});

test('a model that only scores is no policy', () => {
  assert.equal(parsePolicyConfig(smolLM2).architecture, 'LlamaForCausalLM');
  assert.throws(
    () => parsePolicyConfig(rewardModel, 'the/config.json'),
    /the\/config.json: architectures: expected a model that generates/,
  );
});
