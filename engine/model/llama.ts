/**
 * The Llama architecture as a graph: RMSNorm, rotary positions, grouped-query attention,
 * SwiGLU. Weights are inputs in Hugging Face's layout and names, so that the optimizer
 * changes them in place under every session that reads them.
 *
 * Axes: B sequences, T positions (padded on the right), N = B·T, D hidden_size, V vocab_size,
 * K key-value heads, G query heads a key-value head, H = K·G, h head_dim, R scored tokens.
 */
import { Graph, type Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import { expectedTensors, type ModelConfig } from './model-config.ts';

/** A graph with a model's inputs, and the model over them. */
export interface LlamaGraph {
  graph: Graph;
  /** By Hugging Face name. */
  weights: ReadonlyMap<string, Value>;
  /** The last hidden states after the final norm, [N, D]. */
  hidden: Value;
  /** Logits [R, V] of rows of hidden states [R, D]. */
  logits(rows: Value): Value;
}

/**
 * How sequences lie in the rows. `padded`: one a row, padded on the right, so that a causal mask alone keeps
 * padding out of every real position. `packed`: several a row, kept apart by positions and mask.
 */
export type RowLayout = 'padded' | 'packed';

/**
 * Builds the model over inputs `tokens` [B, T] int64, `cos` and `sin` [positions, h/2], and the weights.
 * Padded, also `position` [1] int64 (of the first column) and `causalMask` [T, T] (0 or −∞); packed,
 * `positions` [B, T] int64 and `attentionMask` [B, T, T] in their place.
 */
export function buildLlama(config: ModelConfig, rows: RowLayout = 'padded'): LlamaGraph {
  const graph = new Graph();
  const weights = new Map(
    [...expectedTensors(config)].map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );
  const tokens = graph.input('tokens', 'int64', ['B', 'T']);
  const model = new Llama(config, graph, weights, ROW_INPUTS[rows](graph));
  const hidden = model.forward(tokens);
  return { graph, weights, hidden, logits: (rows) => model.logits(rows) };
}

/** What tells attention where the tokens stand. */
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

class Llama {
  private readonly config: ModelConfig;
  private readonly weights: ReadonlyMap<string, Value>;
  private readonly positions: Value;
  private readonly cos: Value;
  private readonly sin: Value;
  /** Broadcasts to the scores, [B, K, T, T] or [B, K, G, T, T]. */
  private readonly scoresMask: Value;

  constructor(
    config: ModelConfig,
    graph: Graph,
    weights: ReadonlyMap<string, Value>,
    { positions, mask }: RowInputs,
  ) {
    this.config = config;
    this.weights = weights;
    this.positions = positions;
    this.cos = graph.input('cos', 'float32', ['positions', config.head_dim / 2]);
    this.sin = graph.input('sin', 'float32', ['positions', config.head_dim / 2]);
    const heads = this.groups === 1 ? [1] : [1, 1];
    this.scoresMask = mask.shape.length === 2 ? mask : op.reshape(mask, ['B', ...heads, 'T', 'T']);
  }

  private weight(name: string): Value {
    const value = this.weights.get(name);
    if (value === undefined) throw new Error(`The model has no weight "${name}".`);
    return value;
  }

  forward(tokensBT: Value): Value {
    const { hidden_size: D, num_hidden_layers } = this.config;
    const embedded = op.gather(this.weight('model.embed_tokens.weight'), tokensBT);
    let x = op.reshape(embedded, ['N', D]);
    for (let layer = 0; layer < num_hidden_layers; layer += 1) {
      const prefix = `model.layers.${layer}`;
      x = op.add(x, this.attention(prefix, this.norm(`${prefix}.input_layernorm`, x)));
      x = op.add(x, this.feedForward(prefix, this.norm(`${prefix}.post_attention_layernorm`, x)));
    }
    return this.norm('model.norm', x);
  }

  logits(rowsRD: Value): Value {
    const name = this.config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
    return op.gemm(rowsRD, this.weight(name), { transB: true });
  }

  private norm(name: string, x: Value): Value {
    return op.rmsNorm(x, this.weight(`${name}.weight`), this.config.rms_norm_eps).normed;
  }

  /** x·Wᵀ (+ b) */
  private linear(name: string, xND: Value): Value {
    const c = this.weights.get(`${name}.bias`);
    return op.gemm(xND, this.weight(`${name}.weight`), { transB: true, c });
  }

  /**
   * softmax(Q·Kᵀ/√h + mask)·V. The matrices are kept transposed, [.., h, T]: products with
   * the few rows of a head on the left are half as fast again as with few columns on the right.
   */
  private attention(prefix: string, xND: Value): Value {
    const { head_dim: h, num_key_value_heads: K, num_attention_heads: H } = this.config;
    const linear = (name: string) => this.linear(`${prefix}.self_attn.${name}`, xND);
    const q = this.splitQueries(this.rotate(linear('q_proj'), H));
    const k = this.splitHeads(this.rotate(linear('k_proj'), K));
    const v = this.splitHeads(op.reshape(linear('v_proj'), ['B', 'T', K * h]));
    const scores = op.matMul(q, k, { transA: true, alpha: 1 / Math.sqrt(h) });
    const weights = op.softmax(this.mask(scores));
    const mixed = op.matMul(v, weights, { transB: true });
    return this.linear(`${prefix}.self_attn.o_proj`, this.mergeQueries(mixed));
  }

  private rotate(x: Value, heads: number): Value {
    const flat = op.reshape(x, ['B', 'T', heads * this.config.head_dim]);
    return op.rotary(flat, this.positions, this.cos, this.sin);
  }

  /** [B, T, K·h] → [B, K, h, T] */
  private splitHeads(x: Value): Value {
    const { head_dim: h, num_key_value_heads: K } = this.config;
    return op.transpose(op.reshape(x, ['B', 'T', K, h]), [0, 2, 3, 1]);
  }

  /** [B, T, K·G·h] → [B, K, h, G·T]: the queries that share keys lie side by side */
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

  /** W_down·(SiLU(W_gate·x) ∘ W_up·x) */
  private feedForward(prefix: string, xND: Value): Value {
    const gate = this.linear(`${prefix}.mlp.gate_proj`, xND);
    const up = this.linear(`${prefix}.mlp.up_proj`, xND);
    return this.linear(`${prefix}.mlp.down_proj`, op.mul(op.silu(gate), up));
  }
}

export interface RotaryTables {
  /** cos(position · θ^(−2i/h)), [positions, h/2] */
  cos: Float32Array;
  sin: Float32Array;
}

/** The rotary embedding's angles (RoFormer, arXiv 2104.09864, eq. 15), computed in float64. */
export function rotaryTables(config: ModelConfig, positions: number): RotaryTables {
  const half = config.head_dim / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position += 1) {
    for (let i = 0; i < half; i += 1) {
      const angle = position * config.rope_theta ** ((-2 * i) / config.head_dim);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** [T, T]: 0 where the column is not after the row, else −∞. */
export function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row += 1) {
    mask.fill(Number.NEGATIVE_INFINITY, row * length + row + 1, (row + 1) * length);
  }
  return mask;
}
