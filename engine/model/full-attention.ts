/**
 * The model over whole sequences, as training and scoring run it: every position attends to all positions of its
 * sequence up to itself.
 *
 * Axes: B rows, T positions, N = B·T, D hidden_size, K key-value heads, G query heads per key-value head, H = K·G,
 * h head_dim.
 */
import { Graph, type Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import type { ModelConfig } from './architecture.ts';
import { type Projected, Transformer } from './transformer.ts';

/** A graph with a model's inputs, and the model over them. */
export interface SequenceGraph {
  graph: Graph;
  model: Transformer;
  /** The last hidden states after the final norm, [N, D]. */
  hidden: Value;
}

/**
 * The layout of sequences in rows. `padded`: one per row, padded on the right, so that a causal mask is enough to exclude
 * padding. `packed`: several a row, separated by positions and mask.
 */
export type RowLayout = 'padded' | 'packed';

/**
 * Builds the model over inputs `tokens` [B, T] int64, `cos` and `sin` [positions, h/2], and the weights.
 * Padded, also `position` [1] int64 (of the first column) and `causalMask` [T, T] (0 or −∞). Packed,
 * `positions` [B, T] int64 and `attentionMask` [B, T, T] instead.
 */
export function buildSequenceGraph(
  config: ModelConfig,
  rows: RowLayout = 'padded',
  tensors?: ReadonlyMap<string, readonly number[]>,
): SequenceGraph {
  const graph = new Graph();
  const model = new Transformer(config, graph, tensors);
  const tokens = graph.input('tokens', 'int64', ['B', 'T']);
  const attention = new FullAttention(config, graph, ROW_INPUTS[rows](graph));
  const residual = model.residual(tokens, (projected) => attention.attend(projected));
  return { graph, model, hidden: model.finalNorm(residual) };
}

/** The positions of the tokens, and which of them see each other. */
interface RowInputs {
  /** [1] or [B, T] */
  positions: Value;
  /** [T, T] or [B, T, T] */
  mask: Value;
}

const ROW_INPUTS: Record<RowLayout, (graph: Graph) => RowInputs> = {
  padded: (graph) => ({
    positions: graph.input('position', 'int64', [1]),
    mask: graph.input('causalMask', 'float32', ['T', 'T']),
  }),
  packed: (graph) => ({
    positions: graph.input('positions', 'int64', ['B', 'T']),
    mask: graph.input('attentionMask', 'float32', ['B', 'T', 'T']),
  }),
};

class FullAttention {
  private readonly config: ModelConfig;
  private readonly positions: Value;
  private readonly cos: Value;
  private readonly sin: Value;
  /** Broadcasts to the scores, [B, K, T, T] or [B, K, G, T, T]. */
  private readonly scoresMask: Value;

  constructor(config: ModelConfig, graph: Graph, { positions, mask }: RowInputs) {
    this.config = config;
    this.positions = positions;
    this.cos = graph.input('cos', 'float32', ['positions', config.head_dim / 2]);
    this.sin = graph.input('sin', 'float32', ['positions', config.head_dim / 2]);
    const heads = this.groups === 1 ? [1] : [1, 1];
    this.scoresMask = mask.shape.length === 2 ? mask : op.reshape(mask, ['B', ...heads, 'T', 'T']);
  }

  /**
   * softmax(Q·Kᵀ/√h + mask)·V. The matrices are kept transposed, [.., h, T]: products with
   * the few rows of a head on the left are half as fast again as with few columns on the right.
   */
  attend({ queries, keys, values }: Projected): Value {
    const q = this.splitQueries(this.rotate(queries));
    const k = this.splitHeads(this.rotate(keys));
    const v = this.splitHeads(values);
    const scores = op.matMul(q, k, { transA: true, alpha: 1 / Math.sqrt(this.config.head_dim) });
    const weights = op.softmax(this.mask(scores));
    return this.mergeQueries(op.matMul(v, weights, { transB: true }));
  }

  private rotate(x: Value): Value {
    return op.rotary(x, this.positions, this.cos, this.sin);
  }

  /** [B, T, K·h] → [B, K, h, T] */
  private splitHeads(x: Value): Value {
    const { head_dim: h, num_key_value_heads: K } = this.config;
    return op.transpose(op.reshape(x, ['B', 'T', K, h]), [0, 2, 3, 1]);
  }

  /** [B, T, K·G·h] → [B, K, h, G·T]: queries that share keys are adjacent */
  private splitQueries(x: Value): Value {
    const { head_dim: h, num_key_value_heads: K } = this.config;
    const G = this.groups;
    if (G === 1) return this.splitHeads(x);
    const parted = op.transpose(op.reshape(x, ['B', 'T', K, G, h]), [0, 2, 4, 3, 1]);
    return op.reshape(parted, ['B', K, h, 'G·T']);
  }

  /** [B, K, h, G·T] → [N, K·G·h] */
  private mergeQueries(x: Value): Value {
    const { head_dim: h, num_key_value_heads: K, num_attention_heads: H } = this.config;
    const G = this.groups;
    const parted = G === 1 ? x : op.reshape(x, ['B', K, h, G, 'T']);
    const merged = op.transpose(parted, G === 1 ? [0, 3, 1, 2] : [0, 4, 1, 3, 2]);
    return op.reshape(merged, ['N', H * h]);
  }

  /** Adds the mask to scores [B, K, G·T, T]. */
  private mask(scores: Value): Value {
    const { num_key_value_heads: K } = this.config;
    if (this.groups === 1) return op.add(scores, this.scoresMask);
    const apart = op.reshape(scores, ['B', K, this.groups, 'T', 'T']);
    return op.reshape(op.add(apart, this.scoresMask), ['B', K, 'G·T', 'T']);
  }

  private get groups(): number {
    return this.config.num_attention_heads / this.config.num_key_value_heads;
  }
}
