/** The interface of a native runtime: tensors, and sessions that run graphs over them. */
import type { Numerics } from '../../contracts/numerics.ts';
import type { DType, Tensor, TypedArrays } from '../graph/tensor.ts';

export interface RuntimeOptions {
  /** Threads that compute one operator; set once per process. Default: the machine's number. */
  threads?: number;
  /**
   * Idle threads spin before they sleep: a little faster where nothing else runs, much slower beside other
   * processes such as the servers and workers of a stack. Default: no.
   */
  spinning?: boolean;
}

export interface SessionOptions {
  /** Writes a Chrome trace of every operator to `<prefix>_<time>.json` at `endProfiling()`. */
  profilePrefix?: string;
}

export type Inputs = Readonly<Record<string, Tensor>>;
/** `null` lets the runtime allocate the output; the caller then disposes of it. */
export type Outputs = Readonly<Record<string, Tensor | null>>;

/** A call whose tensors are fixed: running it again costs no look-ups. */
export interface BoundCall {
  /** Runs the graph on the current contents of the bound tensors. */
  run(): void;
  dispose(): void;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs once; returns every requested output by name. Given tensors are written in place. `freeAfter`: the memory that
   * the session keeps for its next run is returned to the system.
   */
  run(inputs: Inputs, outputs: Outputs, options?: { freeAfter?: boolean }): Record<string, Tensor>;
  /** Fixes inputs and preallocated outputs for many runs. */
  bind(inputs: Inputs, outputs: Readonly<Record<string, Tensor>>): BoundCall;
  endProfiling(): string;
  dispose(): void;
}

export interface Runtime {
  readonly numerics: Numerics;
  /** A tensor in native memory; zeros unless `data` is given. */
  createTensor<D extends DType>(
    dtype: D,
    shape: readonly number[],
    data?: ArrayLike<TypedArrays[D][number]>,
  ): Tensor<D>;
  /** The first `rows` rows of a tensor in the tensor's own memory, which must outlive this view. */
  viewRows<D extends DType>(tensor: Tensor<D>, rows: number): Tensor<D>;
  /** A session over a serialized ONNX model. */
  createSession(model: Uint8Array, options?: SessionOptions): Session;
  /** Returns the process's free memory to the system, where the system supports it. */
  trim(): void;
}
