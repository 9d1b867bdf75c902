/**
 * The graph of generation: new tokens of each sequence and its key-value cache are inputs, logits of chosen
 * positions are outputs. Prompts (many tokens per sequence, an empty cache) and single steps (one token per
 * sequence) run through the same graph.
 *
 * B sequences · T new tokens each, padded on the right · R rows whose logits are computed · C positions of the
 * cache's capacity · V vocabulary · K key-value heads · D head width
 *
 * Inputs, besides the weights by their Hugging Face names:
 *
 *     tokens       int32 [B, T]
 *     last         int32 [B]    position of each sequence's last real token, counted over its whole length
 *     longest      int32 []     the greatest of last + 1 over the batch
 *     rows         int32 [R]    indices into [B·T] of the rows whose logits are computed
 *     cos, sin     float32 [P, D/2]
 *     positions    int64 [B, T] only where D is not a multiple of 16
 *     key.i, value.i  float32 [B, K, C, D]
 *
 * Outputs: `logits` [R, V], and `next_key.i`, `next_value.i`. These are bound to the cache's own tensors, so
 * the new positions are written in place.
 */
import { Graph, type Value } from '../graph/graph.ts';
import { gather, reshape, rotary } from '../graph/operators.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { type Projected, Transformer } from '../model/transformer.ts';

/** GroupQueryAttention rotates queries and keys itself only where a head's width is a multiple of this. */
const FUSED_ROTARY_MULTIPLE = 16;

interface AttentionInputs {
  last: Value;
  longest: Value;
  cos: Value;
  sin: Value;
  /** null where attention rotates by itself */
  positions: Value | null;
}

/** Whether attention rotates queries and keys itself; else the graph takes `positions`. */
export function rotatesInAttention(config: ModelConfig): boolean {
  return config.head_dim % FUSED_ROTARY_MULTIPLE === 0;
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
  const model = new Transformer(config, graph);
  const inputs = declareInputs(graph, config);
  const residual = model.residual(tokens, (projected, layer) =>
    attendToCache(graph, config, layer, projected, inputs),
  );
  graph.output('logits', model.head(model.finalNorm(gather(residual, rows))));
  return graph;
}

function declareInputs(graph: Graph, config: ModelConfig): AttentionInputs {
  const half = config.head_dim / 2;
  return {
    last: graph.input('last', 'int32', ['B']),
    longest: graph.input('longest', 'int32', []),
    cos: graph.input('cos', 'float32', ['P', half]),
    sin: graph.input('sin', 'float32', ['P', half]),
    positions: rotatesInAttention(config) ? null : graph.input('positions', 'int64', ['B', 'T']),
  };
}

/** Attention over the cached positions and the new ones, which it adds to the cache. */
function attendToCache(
  graph: Graph,
  config: ModelConfig,
  layer: number,
  { queries, keys, values }: Projected,
  { last, longest, cos, sin, positions }: AttentionInputs,
): Value {
  const { num_attention_heads, num_key_value_heads: K, head_dim: D } = config;
  const rotated = (x: Value) => (positions === null ? x : rotary(x, positions, cos, sin));
  const q = rotated(queries);
  const k = rotated(keys);
  const cacheShape = ['B', K, 'C', D];
  const pastKey = graph.input(`key.${layer}`, 'float32', cacheShape);
  const pastValue = graph.input(`value.${layer}`, 'float32', cacheShape);
  const tables = positions === null ? [cos, sin] : [];
  const [attended, nextKey, nextValue] = graph.node(
    'GroupQueryAttention',
    [q, k, values, pastKey, pastValue, last, longest, ...tables],
    { num_heads: num_attention_heads, kv_num_heads: K, do_rotary: positions === null ? 1 : 0 },
    [q.shape, cacheShape, cacheShape].map((shape) => ({ dtype: 'float32' as const, shape })),
  );
  if (!attended || !nextKey || !nextValue) throw new Error('GroupQueryAttention has three outputs.');
  graph.output(`next_key.${layer}`, nextKey);
  graph.output(`next_value.${layer}`, nextValue);
  return reshape(attended, ['N', num_attention_heads * D]);
}
