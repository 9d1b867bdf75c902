/**
 * The graph of generation: some new tokens of each sequence go in beside its key-value cache, logits of
 * the wanted positions come out. Prompts (many tokens a sequence, an empty cache) and single steps (one
 * token a sequence) run through the same graph.
 *
 * B sequences · T new tokens each, padded on the right · R rows whose logits are wanted · C positions that
 * the cache has room for · H width · V vocabulary · K key-value heads · D head width
 *
 * Inputs, beside the weights by their Hugging Face names:
 *
 *     tokens       int32 [B, T]
 *     last         int32 [B]    position of each sequence's last real token, counted over its whole length
 *     longest      int32 []     the greatest of last + 1 over the batch
 *     rows         int32 [R]    indices into [B·T] of the rows whose logits are wanted
 *     cos, sin     float32 [P, D/2]
 *     positions    int64 [B, T] only where D is no multiple of 16
 *     key.i, value.i  float32 [B, K, C, D]
 *
 * Outputs: `logits` [R, V], and `next_key.i`, `next_value.i`, to be bound to the cache's own tensors: the
 * new positions are then written in place.
 */
import { Graph, type Value } from '../graph/graph.ts';
import { add, gather, gemm, mul, reshape, rmsNorm, rotary, silu } from '../graph/operators.ts';
import { expectedTensors, type ModelConfig } from '../model/model-config.ts';

/** The widest step in which GroupQueryAttention's own rotation works. */
const FUSED_ROTARY_STEP = 16;

interface Weights {
  weight(name: string): Value;
  /** undefined where the model has none */
  bias(name: string): Value | undefined;
}

interface DecodeInputs {
  last: Value;
  longest: Value;
  cos: Value;
  sin: Value;
  /** null where attention rotates by itself */
  positions: Value | null;
}

/** Whether attention rotates queries and keys itself; else the graph takes `positions`. */
export function rotatesInAttention(config: ModelConfig): boolean {
  return config.head_dim % FUSED_ROTARY_STEP === 0;
}

/** Names of the cache's inputs, in the order key.0, value.0, key.1, …; outputs are `next_` + name. */
export function cacheNames(config: ModelConfig): string[] {
  return Array.from({ length: config.num_hidden_layers }, (_, layer) => [
    `key.${layer}`,
    `value.${layer}`,
  ]).flat();
}

export function buildDecodeGraph(config: ModelConfig): Graph {
  const graph = new Graph();
  const tokens = graph.input('tokens', 'int32', ['B', 'T']);
  const rows = graph.input('rows', 'int32', ['R']);
  const weights = declareWeights(graph, config);
  const { weight } = weights;
  const inputs = declareInputs(graph, config);
  const embedding = weight('model.embed_tokens');
  let x = reshape(gather(embedding, tokens), ['N', config.hidden_size]);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    x = addLayer(graph, config, x, layer, weights, inputs);
  }
  const normed = rmsNorm(gather(x, rows), weight('model.norm'), config.rms_norm_eps).normed;
  const head = config.tie_word_embeddings ? embedding : weight('lm_head');
  graph.output('logits', gemm(normed, head, { transB: true }));
  return graph;
}

function declareWeights(graph: Graph, config: ModelConfig): Weights {
  const values = new Map<string, Value>();
  for (const [name, shape] of expectedTensors(config)) values.set(name, graph.input(name, 'float32', shape));
  return {
    weight(name) {
      const value = values.get(`${name}.weight`);
      if (value === undefined) throw new Error(`The configuration calls for no tensor ${name}.weight.`);
      return value;
    },
    bias: (name) => values.get(`${name}.bias`),
  };
}

function declareInputs(graph: Graph, config: ModelConfig): DecodeInputs {
  const half = config.head_dim / 2;
  return {
    last: graph.input('last', 'int32', ['B']),
    longest: graph.input('longest', 'int32', []),
    cos: graph.input('cos', 'float32', ['P', half]),
    sin: graph.input('sin', 'float32', ['P', half]),
    positions: rotatesInAttention(config) ? null : graph.input('positions', 'int64', ['B', 'T']),
  };
}

function addLayer(
  graph: Graph,
  config: ModelConfig,
  x: Value,
  layer: number,
  weights: Weights,
  inputs: DecodeInputs,
): Value {
  const full = (name: string) => `model.layers.${layer}.${name}`;
  const project = (from: Value, name: string) =>
    gemm(from, weights.weight(full(name)), { transB: true, c: weights.bias(full(name)) });
  const normed = (from: Value, name: string) =>
    rmsNorm(from, weights.weight(full(name)), config.rms_norm_eps).normed;

  const n = normed(x, 'input_layernorm');
  const queries = project(n, 'self_attn.q_proj');
  const keys = project(n, 'self_attn.k_proj');
  const values = project(n, 'self_attn.v_proj');
  const attended = addAttention(graph, config, layer, { queries, keys, values }, inputs);
  const h = add(x, project(attended, 'self_attn.o_proj'));

  // SwiGLU: down(silu(gate(m)) ⊙ up(m)); Shazeer, "GLU variants improve Transformer" (2020)
  const m = normed(h, 'post_attention_layernorm');
  const gated = mul(silu(project(m, 'mlp.gate_proj')), project(m, 'mlp.up_proj'));
  return add(h, project(gated, 'mlp.down_proj'));
}

function addAttention(
  graph: Graph,
  config: ModelConfig,
  layer: number,
  { queries, keys, values }: { queries: Value; keys: Value; values: Value },
  { last, longest, cos, sin, positions }: DecodeInputs,
): Value {
  const { num_attention_heads, num_key_value_heads: K, head_dim: D } = config;
  const perSequence = (x: Value, heads: number) => reshape(x, ['B', 'T', heads * D]);
  const turn = (x: Value) => (positions === null ? x : rotary(x, positions, cos, sin));
  const q = turn(perSequence(queries, num_attention_heads));
  const k = turn(perSequence(keys, K));
  const cacheShape = ['B', K, 'C', D];
  const pastKey = graph.input(`key.${layer}`, 'float32', cacheShape);
  const pastValue = graph.input(`value.${layer}`, 'float32', cacheShape);
  const tables = positions === null ? [cos, sin] : [];
  const [attended, nextKey, nextValue] = graph.node(
    'GroupQueryAttention',
    [q, k, perSequence(values, K), pastKey, pastValue, last, longest, ...tables],
    { num_heads: num_attention_heads, kv_num_heads: K, do_rotary: positions === null ? 1 : 0 },
    [q.shape, cacheShape, cacheShape].map((shape) => ({ dtype: 'float32' as const, shape })),
  );
  if (!attended || !nextKey || !nextValue) throw new Error('GroupQueryAttention has three outputs.');
  graph.output(`next_key.${layer}`, nextKey);
  graph.output(`next_value.${layer}`, nextValue);
  return reshape(attended, ['N', num_attention_heads * D]);
}
