/**
 * The key-value cache of the sequences being decoded, in native memory that attention writes in place.
 * Each layer has a key and a value tensor [S, K, C, D]: S slots, K key-value heads, C positions of
 * capacity, D head width. Sequences occupy the first slots, so that a batch of n is the first n rows.
 */

import type { FloatTensor } from '../graph/tensor.ts';
import type { ModelConfig } from '../model/architecture.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { cacheNames } from './decode-graph.ts';

/** The keys and values of one prompt: for each of the cache's tensors, [K, length, D]. */
export interface PromptCache {
  length: number;
  parts: readonly Float32Array[];
}

export class KvCache {
  slots = 0;
  /** positions */
  capacity = 0;
  private tensors: FloatTensor[] = [];
  private readonly runtime: Runtime;
  private readonly names: readonly string[];
  private readonly heads: number;
  private readonly width: number;

  constructor(runtime: Runtime, config: ModelConfig) {
    this.runtime = runtime;
    this.names = cacheNames(config);
    this.heads = config.num_key_value_heads;
    this.width = config.head_dim;
  }

  tooSmallFor(slots: number, capacity: number): boolean {
    return slots > this.slots || capacity > this.capacity;
  }

  /** Allocates at least this much, and no less than before; the contents are lost. */
  reserve(slots: number, capacity: number): void {
    this.dispose();
    this.allocate(Math.max(slots, this.slots), Math.max(capacity, this.capacity));
  }

  /** Allocates more positions and keeps the contents of the first `occupied` slots. */
  grow(capacity: number, occupied: number): void {
    const [old, oldCapacity] = [this.tensors, this.capacity];
    this.allocate(this.slots, capacity);
    const length = oldCapacity * this.width;
    for (const [index, tensor] of this.tensors.entries()) {
      const from = old[index]?.data ?? new Float32Array();
      for (let row = 0; row < occupied * this.heads; row++) {
        tensor.data.set(from.subarray(row * length, (row + 1) * length), row * capacity * this.width);
      }
    }
    for (const tensor of old) tensor.dispose();
  }

  /** The cache of the first `rows` slots as a graph's inputs and outputs, the same memory in both. */
  views(rows: number): { inputs: Record<string, FloatTensor>; outputs: Record<string, FloatTensor> } {
    const views = this.tensors.map((tensor) => this.runtime.viewRows(tensor, rows));
    return bindings(this.names, views);
  }

  /** Fills a slot with a prompt's keys and values. */
  load(slot: number, prompt: PromptCache): void {
    const length = prompt.length * this.width;
    for (const [index, tensor] of this.tensors.entries()) {
      const part = prompt.parts[index] ?? new Float32Array();
      for (let head = 0; head < this.heads; head++) {
        tensor.data.set(part.subarray(head * length, (head + 1) * length), this.offset(slot, head));
      }
    }
  }

  /** Copies the first `length` positions of a slot to another. */
  move(from: number, to: number, length: number): void {
    for (const { data } of this.tensors) {
      for (let head = 0; head < this.heads; head++) {
        const start = this.offset(from, head);
        data.copyWithin(this.offset(to, head), start, start + length * this.width);
      }
    }
  }

  dispose(): void {
    for (const tensor of this.tensors) tensor.dispose();
    this.tensors = [];
  }

  private allocate(slots: number, capacity: number): void {
    const shape = [slots, this.heads, capacity, this.width];
    this.tensors = this.names.map(() => this.runtime.createTensor('float32', shape));
    this.slots = slots;
    this.capacity = capacity;
  }

  private offset(slot: number, head: number): number {
    return (slot * this.heads + head) * this.capacity * this.width;
  }
}

/** Cache tensors under the names of the graph's inputs, and of the outputs that overwrite them. */
export function bindings(
  names: readonly string[],
  tensors: readonly FloatTensor[],
): { inputs: Record<string, FloatTensor>; outputs: Record<string, FloatTensor> } {
  const named = names.flatMap((name, index) => {
    const tensor = tensors[index];
    return tensor === undefined ? [] : [[name, tensor] as const];
  });
  return {
    inputs: Object.fromEntries(named),
    outputs: Object.fromEntries(named.map(([name, tensor]) => [`next_${name}`, tensor])),
  };
}
