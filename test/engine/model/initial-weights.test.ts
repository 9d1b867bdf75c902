import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialWeights, withScoreHead } from '../../../engine/model/initial-weights.ts';
import { formatModelConfig, ModelConfigError, parseModelConfig } from '../../../engine/model/model-config.ts';
import { decays } from '../../../engine/train/adamw.ts';
import { checkWeights } from '../../../engine/weights/weights.ts';
import { nanoConfig } from '../fixtures.ts';

const config = { ...nanoConfig, tie_word_embeddings: false, eos_token_id: [5, 6] };
const policy = { config, weights: initialWeights(config, 1n) };

test('a reward model is its policy without the output projection and with a drawn scalar head', () => {
  const { config: made, weights } = withScoreHead(policy, 7n);
  assert.equal(made.architecture, 'LlamaForSequenceClassification');
  assert.deepEqual([...checkWeights(weights, made, 'it').keys()], [...weights.keys()]);
  assert.ok(!weights.has('lm_head.weight'));
  assert.equal(weights.get('model.norm.weight'), policy.weights.get('model.norm.weight'));
  const score = weights.get('score.weight');
  assert.deepEqual(score?.shape, [1, config.hidden_size]);
  const variance = [...(score?.data ?? [])].reduce((sum, w) => sum + w * w, 0) / config.hidden_size;
  assert.ok(Math.abs(Math.sqrt(variance) / config.initializer_range - 1) < 0.25, String(variance));
});

test('the seed decides the head', () => {
  const head = (seed: bigint) => withScoreHead(policy, seed).weights.get('score.weight')?.data;
  assert.deepEqual(head(7n), head(7n));
  assert.notDeepEqual(head(7n), head(8n));
});

test('without a padding token the first end token pads, and without either there is no reward model', () => {
  assert.equal(withScoreHead(policy, 0n).config.pad_token_id, 5);
  const named = { ...policy, config: { ...config, pad_token_id: 3 } };
  assert.equal(withScoreHead(named, 0n).config.pad_token_id, 3);
  const nameless = { ...policy, config: { ...config, eos_token_id: null } };
  assert.throws(() => withScoreHead(nameless, 0n), /pad_token_id: expected a token that pads/);
});

test('a reward model is not made of a reward model', () => {
  assert.throws(() => withScoreHead(withScoreHead(policy, 0n), 0n), ModelConfigError);
});

test('the configuration that is written is read back the same', () => {
  const { config: made } = withScoreHead(policy, 0n);
  assert.deepEqual(parseModelConfig(JSON.parse(formatModelConfig(made))), made);
});

test('biases begin at zero, scales of norms at one, and neither decays', () => {
  const config = { ...nanoConfig, architecture: 'Qwen3ForCausalLM', attention_bias: true } as const;
  const weights = initialWeights(config, 3n);
  const of = (name: string) => new Set(weights.get(`model.layers.0.${name}`)?.data);
  assert.deepEqual(of('self_attn.q_proj.bias'), new Set([0]));
  for (const norm of ['input_layernorm', 'self_attn.q_norm', 'self_attn.k_norm'])
    assert.deepEqual(of(`${norm}.weight`), new Set([1]));
  const vectors = [...weights].filter(([, { shape }]) => shape.length === 1).map(([name]) => name);
  assert.deepEqual([...weights.keys()].filter((name) => !decays(name)).sort(), vectors.sort());
});
