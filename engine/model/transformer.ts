/**
 * The transformer as a graph, for training, decoding and reward models alike: RMSNorm, attention and SwiGLU blocks
 * around a residual stream. Which positions a token attends to is passed in: full-attention.ts for training,
 * decode-graph.ts for decoding with a cache. Weights are inputs in Hugging Face's layout and names: the optimizer
 * changes them in place under every session that reads them.
 *
 * Axes: B sequences, T positions, N = B·T, D hidden_size, V vocab_size, h head_dim, K key-value heads, H query heads,
 * R rows of hidden states.
 */
import type { Graph, Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import { blockName, expectedTensors, headWeight, type ModelConfig, WEIGHT } from './architecture.ts';

/** Queries, keys and values of a block, before rotation. */
export interface Projected {
  /** [B, T, H·h] */
  queries: Value;
  /** [B, T, K·h] */
  keys: Value;
  /** [B, T, K·h] */
  values: Value;
}

/** Mixes the values that each position attends to: [N, H·h]. */
export type Attention = (projected: Projected, layer: number) => Value;

export class Transformer {
  /** By Hugging Face name. */
  readonly weights: ReadonlyMap<string, Value>;
  private readonly config: ModelConfig;

  /** Declares the weights as inputs of the graph: those that the configuration demands, unless others are given. */
  constructor(
    config: ModelConfig,
    graph: Graph,
    tensors: ReadonlyMap<string, readonly number[]> = expectedTensors(config),
  ) {
    this.config = config;
    this.weights = new Map([...tensors].map(([name, shape]) => [name, graph.input(name, 'float32', shape)]));
  }

  /** The residual stream [N, D] after the last block, of tokens [B, T]. */
  residual(tokensBT: Value, attend: Attention): Value {
    const { hidden_size: D, num_hidden_layers } = this.config;
    let x = op.reshape(op.gather(this.weight(WEIGHT.embedding), tokensBT), ['N', D]);
    for (let layer = 0; layer < num_hidden_layers; layer += 1) x = this.block(x, layer, attend);
    return x;
  }

  /** The hidden states that the head reads, from rows of the residual stream. */
  finalNorm(rowsRD: Value): Value {
    return this.norm(WEIGHT.finalNorm, rowsRD);
  }

  /** Of rows of hidden states: logits [R, V], or the scores [R, 1] of a reward model. */
  head(rowsRD: Value): Value {
    return op.gemm(rowsRD, this.weight(headWeight(this.config)), { transB: true });
  }

  private block(xND: Value, layer: number, attend: Attention): Value {
    const name = blockName(layer);
    const attended = attend(
      this.project(`${name}.self_attn`, this.norm(`${name}.input_layernorm.weight`, xND)),
      layer,
    );
    const x = op.add(xND, this.linear(`${name}.self_attn.o_proj`, attended));
    const normed = this.norm(`${name}.post_attention_layernorm.weight`, x);
    return op.add(x, this.feedForward(`${name}.mlp`, normed));
  }

  private project(prefix: string, xND: Value): Projected {
    const { num_attention_heads: H, num_key_value_heads: K, head_dim: h } = this.config;
    const projected = (name: string, heads: number) =>
      op.reshape(this.linear(`${prefix}.${name}`, xND), ['B', 'T', heads * h]);
    return {
      queries: this.normHeads(`${prefix}.q_norm.weight`, projected('q_proj', H), H),
      keys: this.normHeads(`${prefix}.k_norm.weight`, projected('k_proj', K), K),
      values: projected('v_proj', K),
    };
  }

  /** Each head is normalised separately, where the model has a weight for it. */
  private normHeads(name: string, x: Value, heads: number): Value {
    if (!this.weights.has(name)) return x;
    const { head_dim: h } = this.config;
    return op.reshape(this.norm(name, op.reshape(x, [`N·${heads}`, h])), ['B', 'T', heads * h]);
  }

  /** SwiGLU, W_down·(SiLU(W_gate·x) ∘ W_up·x) (Shazeer, "GLU variants improve Transformer", 2020) */
  private feedForward(prefix: string, xND: Value): Value {
    const gate = this.linear(`${prefix}.gate_proj`, xND);
    const up = this.linear(`${prefix}.up_proj`, xND);
    return this.linear(`${prefix}.down_proj`, op.mul(op.silu(gate), up));
  }

  private norm(name: string, x: Value): Value {
    return op.rmsNorm(x, this.weight(name), this.config.rms_norm_eps).normed;
  }

  /** x·Wᵀ, with a bias where the model has one. */
  private linear(name: string, xND: Value): Value {
    const c = this.weights.get(`${name}.bias`);
    return op.gemm(xND, this.weight(`${name}.weight`), { transB: true, c });
  }

  private weight(name: string): Value {
    const value = this.weights.get(name);
    if (value === undefined) throw new Error(`The model has no weight "${name}".`);
    return value;
  }
}
