/** The decode graph over a policy's weights: runs prompts, and binds calls for single steps. */

import { serialize } from '../graph/onnx.ts';
import type { FloatTensor, Tensor, TensorMap } from '../graph/tensor.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { rotaryTables } from '../model/attention-inputs.ts';
import type { BoundCall, Runtime, Session } from '../runtime/runtime.ts';
import { buildDecodeGraph, cacheNames, rotatesInAttention } from './decode-graph.ts';
import { bindings, type PromptCache } from './kv-cache.ts';

/** The result of running a prompt through the model. */
export interface PrefilledPrompt {
  cache: PromptCache;
  /** logits of the first token to be sampled [V] */
  logitsV: Float32Array;
}

export class DecodeSession {
  private readonly runtime: Runtime;
  private readonly config: ModelConfig;
  private readonly session: Session;
  private readonly fixed: Readonly<Record<string, Tensor>>;
  private readonly tables: readonly Tensor[];

  /** `weights` belong to the caller; after an update in place, the next step uses the new values. */
  constructor(runtime: Runtime, config: ModelConfig, weights: TensorMap) {
    this.runtime = runtime;
    this.config = config;
    this.session = runtime.createSession(serialize(buildDecodeGraph(config)));
    const { cos, sin } = rotaryTables(config, config.max_position_embeddings);
    const shape = [config.max_position_embeddings, config.head_dim / 2];
    const tables = {
      cos: runtime.createTensor('float32', shape, cos),
      sin: runtime.createTensor('float32', shape, sin),
    };
    this.tables = [tables.cos, tables.sin];
    this.fixed = { ...this.used(Object.fromEntries(weights)), ...this.used(tables) };
  }

  /** Runs prompts [P] of any lengths through the model, padded on the right to the longest. */
  prefill(prompts: readonly Int32Array[]): PrefilledPrompt[] {
    const { runtime, config } = this;
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    const { num_key_value_heads: K, head_dim: D } = config;
    const caches = cacheNames(config).map(() => {
      return runtime.createTensor('float32', [prompts.length, K, longest, D]);
    });
    const inputs = this.prefillInputs(prompts, longest);
    const logits = runtime.createTensor('float32', [prompts.length, config.vocab_size]);
    const { inputs: past, outputs: next } = bindings(cacheNames(config), caches);
    try {
      this.session.run({ ...this.fixed, ...inputs, ...past }, { logits, ...next });
      return prompts.map((prompt, row) => ({
        cache: { length: prompt.length, parts: caches.map((cache) => cut(cache, row, prompt.length)) },
        logitsV: logits.data.slice(row * config.vocab_size, (row + 1) * config.vocab_size),
      }));
    } finally {
      for (const tensor of [...Object.values(inputs), ...caches, logits]) tensor.dispose();
    }
  }

  /** Binds tensors for many steps; those that are not inputs of this model's graph are left out. */
  bind(inputs: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): BoundCall {
    return this.session.bind({ ...this.fixed, ...this.used(inputs) }, outputs);
  }

  dispose(): void {
    this.session.dispose();
    for (const table of this.tables) table.dispose();
  }

  private prefillInputs(prompts: readonly Int32Array[], longest: number): Record<string, Tensor> {
    const { runtime } = this;
    const shape = [prompts.length, longest];
    const tokensBT = new Int32Array(prompts.length * longest);
    for (const [row, prompt] of prompts.entries()) tokensBT.set(prompt, row * longest);
    const last = prompts.map((prompt) => prompt.length - 1);
    const positions = Array.from(tokensBT, (_, index) => BigInt(index % longest));
    return {
      tokens: runtime.createTensor('int32', shape, tokensBT),
      last: runtime.createTensor('int32', [prompts.length], last),
      longest: runtime.createTensor('int32', [], [longest]),
      rows: runtime.createTensor(
        'int32',
        [prompts.length],
        last.map((at, row) => row * longest + at),
      ),
      ...(rotatesInAttention(this.config)
        ? {}
        : { positions: runtime.createTensor('int64', shape, positions) }),
    };
  }

  private used(tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const names = new Set(this.session.inputNames);
    return Object.fromEntries(Object.entries(tensors).filter(([name]) => names.has(name)));
  }
}

/** One row of a cache tensor [P, K, T, D], its padding left out: [K, length, D]. */
function cut(cache: FloatTensor, row: number, length: number): Float32Array {
  const [, K = 0, T = 0, D = 0] = cache.shape;
  const part = new Float32Array(K * length * D);
  for (let head = 0; head < K; head++) {
    const start = (row * K + head) * T * D;
    part.set(cache.data.subarray(start, start + length * D), head * length * D);
  }
  return part;
}
