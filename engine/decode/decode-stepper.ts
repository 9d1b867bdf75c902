/**
 * Steps of one token for each of the first n slots of a cache. The tensors of a step are bound once for each
 * n: then a step in JavaScript only writes tokens and reads logits.
 */

import type { FloatTensor, Tensor } from '../graph/tensor.ts';
import type { ModelConfig } from '../model/architecture.ts';
import type { BoundCall, Runtime } from '../runtime/runtime.ts';
import type { DecodeSession } from './decode-session.ts';
import type { KvCache } from './kv-cache.ts';

interface StepTensors {
  /** the next input token of each slot [S, 1] */
  tokens: Tensor<'int32'>;
  /** that token's position [S], and the same for the rotation of queries and keys [S, 1] */
  last: Tensor<'int32'>;
  positions: Tensor<'int64'>;
  /** 0 … S−1: each sequence has one row [S] */
  rows: Tensor<'int32'>;
  /** [S, V] */
  logits: FloatTensor;
}

interface BoundStep {
  call: BoundCall;
  views: readonly Tensor[];
}

export class DecodeStepper {
  private readonly runtime: Runtime;
  private readonly session: DecodeSession;
  private readonly cache: KvCache;
  private readonly tensors: StepTensors;
  private readonly longest: Tensor<'int32'>;
  private readonly logitsSV: readonly Float32Array[];
  private readonly steps = new Map<number, BoundStep>();

  /** For a cache with a fixed number of slots; before its capacity grows, call `unbind`. */
  constructor(runtime: Runtime, session: DecodeSession, config: ModelConfig, cache: KvCache) {
    const { slots } = cache;
    this.runtime = runtime;
    this.session = session;
    this.cache = cache;
    this.longest = runtime.createTensor('int32', []);
    this.tensors = {
      tokens: runtime.createTensor('int32', [slots, 1]),
      last: runtime.createTensor('int32', [slots]),
      positions: runtime.createTensor('int64', [slots, 1]),
      rows: runtime.createTensor(
        'int32',
        [slots],
        Int32Array.from({ length: slots }, (_, slot) => slot),
      ),
      logits: runtime.createTensor('float32', [slots, config.vocab_size]),
    };
    const { data } = this.tensors.logits;
    this.logitsSV = Array.from({ length: slots }, (_, slot) => {
      return data.subarray(slot * config.vocab_size, (slot + 1) * config.vocab_size);
    });
  }

  /** Sets a slot's next input token and its position. */
  feed(slot: number, token: number, position: number): void {
    this.tensors.tokens.data[slot] = token;
    this.tensors.last.data[slot] = position;
  }

  /** The position of a slot's next input token. */
  position(slot: number): number {
    return this.tensors.last.data[slot] ?? 0;
  }

  /** Copies a slot's next token to another slot. */
  move(from: number, to: number): void {
    this.feed(to, this.tensors.tokens.data[from] ?? 0, this.position(from));
  }

  /** Runs the first `n` slots one token further. */
  run(n: number): void {
    const { last, positions } = this.tensors;
    let longest = 0;
    for (let slot = 0; slot < n; slot++) {
      const position = this.position(slot);
      positions.data[slot] = BigInt(position);
      if (position >= longest) longest = position + 1;
    }
    this.longest.data[0] = longest;
    if (longest > this.cache.capacity) {
      throw new Error(
        `A step needs ${longest} positions of cache, the most in slot ${last.data.indexOf(longest - 1)}; it has ${this.cache.capacity}.`,
      );
    }
    this.step(n).call.run();
  }

  /** A slot's logits [V] after `run`; overwritten by the next. */
  logits(slot: number): Float32Array {
    const logitsV = this.logitsSV[slot];
    if (logitsV === undefined) throw new Error(`There is no slot ${slot}.`);
    return logitsV;
  }

  /** Disposes of every bound call, before the cache changes its tensors. */
  unbind(): void {
    for (const { call, views } of this.steps.values()) {
      call.dispose();
      for (const view of views) view.dispose();
    }
    this.steps.clear();
  }

  dispose(): void {
    this.unbind();
    for (const tensor of [...Object.values(this.tensors), this.longest]) tensor.dispose();
  }

  private step(n: number): BoundStep {
    const known = this.steps.get(n);
    if (known !== undefined) return known;
    const { logits, ...inputs } = this.tensors;
    const past = this.cache.views(n);
    const views = Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]) => [
        name,
        this.runtime.viewRows<Tensor['dtype']>(tensor, n),
      ]),
    );
    const logitsView = this.runtime.viewRows(logits, n);
    const call = this.session.bind(
      { ...views, longest: this.longest, ...past.inputs },
      { logits: logitsView, ...past.outputs },
    );
    const step = { call, views: [...Object.values(views), logitsView, ...Object.values(past.inputs)] };
    this.steps.set(n, step);
    return step;
  }
}
