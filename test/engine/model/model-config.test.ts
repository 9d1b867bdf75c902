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
  refused(
    { model_type: 'mistral' },
    /the\/config\.json.*\n {2}model_type: .*"llama", "qwen2", "qwen3".*"mistral"/,
  );
  refused({ architectures: ['MistralForCausalLM'] }, /architectures\.0: .*MistralForCausalLM/);
  refused({ hidden_act: 'gelu' }, /hidden_act: .*"silu".*"gelu"/);
  refused({ rope_scaling: { type: 'su', factor: 2 } }, /rope_scaling\.type: .*"yarn".*found "su"/);
  refused({ rope_parameters: { rope_type: 'longrope' } }, /rope_parameters\.rope_type: .*"longrope"/);
  refused(
    { rope_scaling: { type: 'default', mrope_section: [1, 1] } },
    /rope_scaling: .*without "mrope_section"/,
  );
  refused({ rope_parameters: { full_attention: { rope_type: 'default' } } }, /without "full_attention"/);
  refused({ rope_interleaved: true }, /rope_interleaved/);
  refused({ is_causal: false }, /is_causal/);
  refused({ partial_rotary_factor: 0.5 }, /partial_rotary_factor: .*\(1\), found 0\.5/);
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

test('a model_type and the class beside it belong to one family', () => {
  refused({ model_type: 'qwen2' }, /architectures\.0: .*model_type "qwen2", found "LlamaForCausalLM"/);
});

/** Qwen/Qwen2.5-0.5B */
const qwen2 = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151643,
  hidden_act: 'silu',
  hidden_size: 896,
  initializer_range: 0.02,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 24,
  model_type: 'qwen2',
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000.0,
  sliding_window: 32768,
  tie_word_embeddings: true,
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

/** Qwen/Qwen3-0.6B */
const qwen3 = {
  ...qwen2,
  architectures: ['Qwen3ForCausalLM'],
  attention_bias: false,
  head_dim: 128,
  hidden_size: 1024,
  intermediate_size: 3072,
  max_position_embeddings: 40960,
  max_window_layers: 28,
  model_type: 'qwen3',
  num_attention_heads: 16,
  num_hidden_layers: 28,
  num_key_value_heads: 8,
  rope_scaling: null,
  sliding_window: null,
};

test('published Qwen configurations are read, and have as many parameters as published', () => {
  assert.equal(parameterCount(parseModelConfig(qwen2)), 494_032_768);
  assert.equal(parameterCount(parseModelConfig(qwen3)), 596_049_920);
  for (const file of [qwen2, qwen3]) {
    const config = parseModelConfig(file);
    assert.deepEqual(parseModelConfig(JSON.parse(formatModelConfig(config))), config);
  }
});

test('keys that a Qwen configuration leaves out take the values of its own class', () => {
  const { num_key_value_heads: _, max_position_embeddings: __, head_dim: ___, ...rest } = qwen3;
  const config = parseModelConfig({ ...rest, num_attention_heads: 64 });
  assert.deepEqual(
    [config.num_key_value_heads, config.max_position_embeddings, config.head_dim],
    [32, 32_768, 128],
  );
  assert.equal(parseModelConfig({ ...qwen3, num_key_value_heads: null }).num_key_value_heads, 16);
});

test('a sliding window is refused where a layer uses it and a sequence can be longer', () => {
  const window = (change: object, message: RegExp) => refused({ ...qwen2, ...change }, message);
  const message = /use_sliding_window: .*a window of 4096 tokens from layer 20 on/;
  window({ use_sliding_window: true, sliding_window: 4096, max_window_layers: 20 }, message);
  const { sliding_window: _, ...unsaid } = qwen2;
  assert.throws(
    () => parseModelConfig({ ...unsaid, use_sliding_window: true, max_window_layers: 20 }),
    message,
  );
  const layer_types = Array.from({ length: 24 }, (_, i) => (i < 3 ? 'full_attention' : 'sliding_attention'));
  window({ layer_types }, /layer_types\.3: .*"sliding_attention"/);
  window({ layer_types: ['linear_attention'] }, /layer_types\.0: .*"linear_attention"/);
  for (const unused of [
    { use_sliding_window: true, sliding_window: 4096, max_window_layers: 24 },
    { use_sliding_window: true, sliding_window: 32768, max_window_layers: 0 },
    { use_sliding_window: true, sliding_window: null, max_window_layers: 0 },
    { layer_types: layer_types.map(() => 'full_attention') },
  ])
    assert.deepEqual(parseModelConfig({ ...qwen2, ...unused }), parseModelConfig(qwen2));
});

test('a Qwen2 whose file denies its biases is refused', () => {
  refused({ ...qwen2, attention_bias: false }, /attention_bias: .*\(true\), found false/);
});

test('a scaled rotary embedding is the same in the older and the newer spelling', () => {
  const llama3 = {
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 4096,
    rope_type: 'llama3',
  };
  const older = parseModelConfig({ ...smolLM2, rope_scaling: llama3 });
  const { rope_theta, rope_scaling: _, ...rest } = smolLM2;
  assert.deepEqual(older.rope_scaling, llama3);
  assert.deepEqual(parseModelConfig({ ...rest, rope_parameters: { rope_theta, ...llama3 } }), older);
  assert.deepEqual(parseModelConfig(JSON.parse(formatModelConfig(older))), older);
  const linear = parseModelConfig({ ...smolLM2, rope_scaling: { type: 'linear', factor: 2 } });
  assert.deepEqual(linear.rope_scaling, { rope_type: 'linear', factor: 2 });
});

test('a scaling takes what it leaves out from the rest of the file', () => {
  const yarn = parseModelConfig({ ...smolLM2, rope_scaling: { type: 'yarn', factor: 4 } }).rope_scaling;
  assert.deepEqual(yarn, {
    rope_type: 'yarn',
    factor: 4,
    original_max_position_embeddings: 8192,
    attention_factor: null,
    beta_fast: 32,
    beta_slow: 1,
    mscale: null,
    mscale_all_dim: null,
    truncate: true,
  });
  const outside = { original_max_position_embeddings: 2048, rope_scaling: { type: 'yarn', factor: null } };
  const derived = parseModelConfig({ ...smolLM2, ...outside }).rope_scaling;
  assert.deepEqual(derived, { ...yarn, factor: 4, original_max_position_embeddings: 2048 });
});

test('a scaling that lacks a number or contradicts itself is refused by the name of its key', () => {
  const scaling = (rope_scaling: object, message: RegExp, others = {}) =>
    refused({ rope_scaling, ...others }, message);
  scaling({ type: 'linear' }, /rope_scaling\.factor: expected a number .*"linear"/);
  scaling({ type: 'linear', factor: 0.5 }, /rope_scaling\.factor: expected at least 1, found 0\.5/);
  scaling({ rope_type: 'llama3', factor: 8 }, /low_freq_factor: expected.*\n.*high_freq_factor: expected/);
  const equal = { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 };
  scaling(equal, /high_freq_factor: expected more than low_freq_factor \(4\), found 4/);
  scaling({ rope_type: 'yarn', type: 'linear', factor: 2 }, /rope_scaling\.type: .*"yarn".*"linear"/);
  scaling({ rope_type: 'yarn', factor: 2 }, /rope_theta: expected more than 1/, { rope_theta: 1 });
  scaling({ type: 'linear', factor: 2 }, /rope_parameters: .*"factor":2.*"factor":3/, {
    rope_parameters: { rope_type: 'linear', factor: 3, rope_theta: smolLM2.rope_theta },
  });
  const yarn = { rope_type: 'yarn', factor: 2, original_max_position_embeddings: 64 };
  scaling(yarn, /rope_scaling\.original_max_position_embeddings: expected 32, .* found 64/, {
    original_max_position_embeddings: 32,
  });
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
