/**
 * The native runtime: ONNX Runtime's C API, called through a foreign function interface in
 * the shared library that the package `onnxruntime-node` carries. Nothing else in the
 * engine knows that there is one.
 *
 * The package's own Node binding is not used: it copies every output into a new
 * ArrayBuffer on each run. Here tensors live in the runtime's memory, JavaScript sees them
 * without a copy, and one tensor may be input and output of the same run (gradient
 * accumulators, optimizer moments, key-value caches).
 *
 * Every call is synchronous and blocks its thread: the engine lives in a worker_thread.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import type { Numerics } from '../contracts/numerics.ts';
import { instructionSet } from './instruction-set.ts';
import { ORT_API_VERSION, ORT_FUNCTIONS } from './ort-api.ts';
import { type DType, elementCount, type Tensor, type TypedArrays } from './tensor.ts';

export interface RuntimeOptions {
  /** Threads that share one operator's work; once per process. Default: the machine's. */
  threads?: number;
  /** Idle threads spin before they sleep: faster alone, wasteful on a busy machine. */
  spinning?: boolean;
}

export interface SessionOptions {
  /** Writes a Chrome trace of every operator to `<prefix>_<time>.json` at `endProfiling()`. */
  profilePrefix?: string;
}

export type Inputs = Readonly<Record<string, Tensor>>;
/** `null` lets the runtime allocate the output; it is then the caller's to dispose of. */
export type Outputs = Readonly<Record<string, Tensor | null>>;

/** A call whose tensors are fixed: running it again costs no look-ups. */
export interface BoundCall {
  /** Runs the graph on whatever the bound tensors hold now. */
  run(): void;
  dispose(): void;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs once; returns every requested output by name. Given tensors are written in place. */
  run(inputs: Inputs, outputs: Outputs): Record<string, Tensor>;
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
}

type Pointer = bigint;
type NativeFunction = (...args: unknown[]) => unknown;

const LOG_ERROR = 3;
const ALLOW_ALL_OPTIMIZATIONS = 99;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

type Api = Record<keyof typeof ORT_FUNCTIONS, NativeFunction>;

/** ONNX's number, size in bytes, and view of each element type. */
const DTYPES: { [D in DType]: { onnx: number; bytes: number; view(buffer: ArrayBuffer): TypedArrays[D] } } = {
  float32: { onnx: 1, bytes: 4, view: (buffer) => new Float32Array(buffer) },
  int32: { onnx: 6, bytes: 4, view: (buffer) => new Int32Array(buffer) },
  int64: { onnx: 7, bytes: 8, view: (buffer) => new BigInt64Array(buffer) },
  bool: { onnx: 9, bytes: 1, view: (buffer) => new Uint8Array(buffer) },
};

const LIBRARY_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/** Holds the library for good: koffi unloads one that has been collected, under the functions read from it. */
let library: LibraryHandle | undefined;

let opened: { runtime: Runtime; spinning: boolean } | undefined;

/**
 * Opens the process's runtime, or returns the one already open.
 * Throws when the platform has no library, or when it is open with other threads.
 */
export function openRuntime(options: RuntimeOptions = {}): Runtime {
  const threads = options.threads ?? opened?.runtime.numerics.threads ?? availableParallelism();
  const spinning = options.spinning ?? opened?.spinning ?? true;
  if (opened === undefined) opened = { runtime: new OrtRuntime(threads, spinning), spinning };
  if (opened.runtime.numerics.threads !== threads || opened.spinning !== spinning) {
    const { threads: held } = opened.runtime.numerics;
    throw new Error(
      `The runtime is open with ${held} threads (spinning: ${opened.spinning}); ${threads} (spinning: ${spinning}) were asked for. ` +
        'The threads are set once per process: use the same number everywhere, or another process.',
    );
  }
  return opened.runtime;
}

function libraryPath(): string {
  const name = LIBRARY_NAMES[process.platform];
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  if (name === undefined) {
    throw new Error(
      `onnxruntime-node carries no library for ${process.platform}/${process.arch}; expected linux, darwin or win32.`,
    );
  }
  return join(root, 'bin', 'napi-v6', process.platform, process.arch, name);
}

/** Loads the library and reads the functions out of its table. */
function loadApi(): { api: Api; version: string } {
  library = koffi.load(libraryPath());
  const base = library.func('OrtGetApiBase', 'void *', [])() as Pointer;
  const [getApi, getVersion] = koffi.decode(base, 'void *', 2) as [Pointer, Pointer];
  const version = koffi.call(getVersion, koffi.proto('const char *(void)'));
  const table = koffi.call(getApi, koffi.proto('void *(uint32_t version)'), ORT_API_VERSION) as Pointer;
  const entries = Object.entries(ORT_FUNCTIONS).map(([name, [index, signature]]) => {
    const pointer = koffi.decode(table, index * koffi.sizeof('void *'), 'void *');
    return [name, koffi.decode(pointer, koffi.proto(signature))];
  });
  return { api: Object.fromEntries(entries) as Api, version };
}

class OrtRuntime implements Runtime {
  readonly numerics: Numerics;
  readonly api: Api;
  readonly env: Pointer;
  readonly allocator: Pointer;

  constructor(threads: number, spinning: boolean) {
    const { api, version } = loadApi();
    this.api = api;
    this.env = this.createEnv(threads, spinning);
    this.allocator = this.make(api.GetAllocatorWithDefaultOptions);
    const set = instructionSet();
    this.numerics = {
      engine: 'onnxruntime',
      version,
      device: 'cpu',
      instructionSet: set,
      threads,
      deterministic: true,
    };
  }

  private createEnv(threads: number, spinning: boolean): Pointer {
    const { api } = this;
    const threading = this.make(api.CreateThreadingOptions);
    this.check(api.SetGlobalIntraOpNumThreads(threading, threads));
    this.check(api.SetGlobalInterOpNumThreads(threading, 1));
    this.check(api.SetGlobalSpinControl(threading, spinning ? 1 : 0));
    const env = this.make(api.CreateEnvWithGlobalThreadPools, LOG_ERROR, 'engine', threading);
    api.ReleaseThreadingOptions(threading);
    return env;
  }

  /** Throws what a failed call says; a null status is success. */
  check(status: unknown): void {
    if (status === null) return;
    const message = String(this.api.GetErrorMessage(status));
    this.api.ReleaseStatus(status);
    throw new Error(`ONNX Runtime: ${message}`);
  }

  /** Calls a function whose last parameter receives a pointer, and returns that pointer. */
  make(create: NativeFunction, ...args: unknown[]): Pointer {
    const out: (Pointer | null)[] = [null];
    this.check(create(...args, out));
    const [pointer] = out;
    if (typeof pointer !== 'bigint')
      throw new Error('ONNX Runtime returned no object where one was expected.');
    return pointer;
  }

  createTensor<D extends DType>(
    dtype: D,
    shape: readonly number[],
    data?: ArrayLike<TypedArrays[D][number]>,
  ): Tensor<D> {
    const { onnx } = DTYPES[dtype];
    const dims = BigInt64Array.from(shape, BigInt);
    const value = this.make(this.api.CreateTensorAsOrtValue, this.allocator, dims, shape.length, onnx);
    const tensor = new OrtTensor(this, value, dtype, [...shape]);
    if (data === undefined) new Uint8Array(tensor.data.buffer).fill(0);
    else fill(tensor, data);
    return tensor;
  }

  viewRows<D extends DType>(tensor: Tensor<D>, rows: number): Tensor<D> {
    const { api } = this;
    const [whole, ...rest] = tensor.shape;
    if (whole === undefined || rows > whole) {
      throw new Error(`A tensor of shape [${tensor.shape}] has no ${rows} rows.`);
    }
    const { onnx, bytes } = DTYPES[tensor.dtype];
    const shape = [rows, ...rest];
    const dims = BigInt64Array.from(shape, BigInt);
    const memory = this.make(api.GetTensorMutableData, nativeValue(tensor));
    const info = this.make(api.CreateCpuMemoryInfo, ARENA_ALLOCATOR, DEFAULT_MEMORY);
    const args = [info, memory, elementCount(shape) * bytes, dims, shape.length, onnx];
    const value = this.make(api.CreateTensorWithDataAsOrtValue, ...args);
    api.ReleaseMemoryInfo(info);
    return new OrtTensor(this, value, tensor.dtype, shape);
  }

  /** A tensor over a value that the runtime allocated itself. */
  adopt(value: Pointer): Tensor {
    const { api } = this;
    const info = this.make(api.GetTensorTypeAndShape, value);
    const type: number[] = [0];
    const rank: number[] = [0];
    this.check(api.GetTensorElementType(info, type));
    this.check(api.GetDimensionsCount(info, rank));
    const dims = new BigInt64Array(rank[0] ?? 0);
    this.check(api.GetDimensions(info, dims, dims.length));
    api.ReleaseTensorTypeAndShapeInfo(info);
    return new OrtTensor(this, value, dtypeOf(type[0] ?? 0), Array.from(dims, Number));
  }

  createSession(model: Uint8Array, options: SessionOptions = {}): Session {
    const { api } = this;
    const settings = this.make(api.CreateSessionOptions);
    try {
      this.check(api.DisablePerSessionThreads(settings));
      // Reserving memory per input shape costs a third more memory and saves no time.
      this.check(api.DisableMemPattern(settings));
      this.check(api.SetSessionGraphOptimizationLevel(settings, ALLOW_ALL_OPTIMIZATIONS));
      if (options.profilePrefix) this.check(api.EnableProfiling(settings, options.profilePrefix));
      const args = [this.env, model, model.byteLength, settings];
      return new OrtSession(this, this.make(api.CreateSessionFromArray, ...args));
    } finally {
      api.ReleaseSessionOptions(settings);
    }
  }
}

function dtypeOf(onnx: number): DType {
  for (const dtype of Object.keys(DTYPES) as DType[]) if (DTYPES[dtype].onnx === onnx) return dtype;
  throw new Error(`A graph's output has ONNX element type ${onnx}; expected float32, int32, int64 or bool.`);
}

function fill<D extends DType>(tensor: Tensor<D>, data: ArrayLike<TypedArrays[D][number]>): void {
  if (data.length !== tensor.data.length) {
    throw new Error(
      `A tensor of shape [${tensor.shape}] holds ${tensor.data.length} elements; ${data.length} were given.`,
    );
  }
  (tensor.data as { set(source: ArrayLike<unknown>): void }).set(data);
}

class OrtTensor<D extends DType> implements Tensor<D> {
  readonly dtype: D;
  readonly shape: readonly number[];
  private readonly runtime: OrtRuntime;
  private held: Pointer | undefined;
  private view: TypedArrays[D] | undefined;

  constructor(runtime: OrtRuntime, value: Pointer, dtype: D, shape: readonly number[]) {
    this.runtime = runtime;
    this.held = value;
    this.dtype = dtype;
    this.shape = shape;
  }

  /** The native value. */
  get value(): Pointer {
    if (this.held === undefined) {
      throw new Error(`A ${this.dtype} tensor of shape [${this.shape}] was used after dispose().`);
    }
    return this.held;
  }

  get data(): TypedArrays[D] {
    const { value } = this;
    this.view ??= this.viewOf(value);
    return this.view;
  }

  private viewOf(value: Pointer): TypedArrays[D] {
    const { bytes, view } = DTYPES[this.dtype];
    const size = elementCount(this.shape) * bytes;
    if (size === 0) return view(new ArrayBuffer(0));
    return view(koffi.view(this.runtime.make(this.runtime.api.GetTensorMutableData, value), size));
  }

  dispose(): void {
    if (this.held !== undefined) this.runtime.api.ReleaseValue(this.held);
    this.held = undefined;
    this.view = undefined;
  }
}

function nativeValue(tensor: Tensor): Pointer {
  if (tensor instanceof OrtTensor) return tensor.value;
  throw new Error('A tensor given to a session was not made by this runtime; use createTensor().');
}

/** An array of pointers in native memory, written from JavaScript. */
class PointerArray {
  readonly address: Pointer;
  readonly at: BigUint64Array;

  constructor(length: number) {
    const room = Math.max(length, 1);
    this.address = koffi.alloc('void *', room) as Pointer;
    this.at = new BigUint64Array(koffi.view(this.address, room * 8));
  }

  dispose(): void {
    koffi.free(this.address);
  }
}

class OrtSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly native: Pointer;
  readonly runtime: OrtRuntime;
  readonly names = new Map<string, Pointer>();
  private held = true;

  constructor(runtime: OrtRuntime, native: Pointer) {
    this.runtime = runtime;
    this.native = native;
    const { api } = runtime;
    this.inputNames = this.readNames(api.SessionGetInputCount, api.SessionGetInputName);
    this.outputNames = this.readNames(api.SessionGetOutputCount, api.SessionGetOutputName);
  }

  private readNames(countOf: NativeFunction, nameOf: NativeFunction): string[] {
    const count: number[] = [0];
    this.runtime.check(countOf(this.native, count));
    return Array.from({ length: Number(count[0]) }, (_, index) => {
      const pointer = this.runtime.make(nameOf, this.native, index, this.runtime.allocator);
      const name = koffi.decode.string(pointer);
      this.names.set(name, pointer);
      return name;
    });
  }

  run(inputs: Inputs, outputs: Outputs): Record<string, Tensor> {
    const call = new OrtCall(this, inputs, outputs);
    try {
      call.run();
      return call.results(outputs);
    } finally {
      call.dispose();
    }
  }

  bind(inputs: Inputs, outputs: Readonly<Record<string, Tensor>>): BoundCall {
    return new OrtCall(this, inputs, outputs);
  }

  endProfiling(): string {
    const { api, allocator } = this.runtime;
    const pointer = this.runtime.make(api.SessionEndProfiling, this.native, allocator);
    return koffi.decode.string(pointer);
  }

  dispose(): void {
    if (!this.held) return;
    this.held = false;
    const { api, allocator } = this.runtime;
    for (const pointer of this.names.values()) this.runtime.check(api.AllocatorFree(allocator, pointer));
    api.ReleaseSession(this.native);
  }
}

/** The arguments of one `Run`, laid out in native memory. */
class OrtCall implements BoundCall {
  private readonly session: OrtSession;
  private readonly inputs: PointerArray;
  private readonly inputNames: PointerArray;
  private readonly outputs: PointerArray;
  private readonly outputNames: PointerArray;
  private readonly outputCount: number;

  constructor(session: OrtSession, inputs: Inputs, outputs: Outputs) {
    checkNames(session, inputs, outputs);
    const produced = Object.keys(outputs);
    this.session = session;
    this.outputCount = produced.length;
    this.inputNames = this.pointers(session.inputNames, (name) => session.names.get(name));
    this.inputs = this.pointers(session.inputNames, (name) => pointerOf(inputs[name]));
    this.outputNames = this.pointers(produced, (name) => session.names.get(name));
    this.outputs = this.pointers(produced, (name) => pointerOf(outputs[name]));
  }

  private pointers(names: readonly string[], pointer: (name: string) => Pointer | undefined): PointerArray {
    const array = new PointerArray(names.length);
    names.forEach((name, index) => {
      array.at[index] = pointer(name) ?? 0n;
    });
    return array;
  }

  run(): void {
    const { native, runtime, inputNames } = this.session;
    runtime.check(
      runtime.api.Run(
        native,
        null,
        this.inputNames.address,
        this.inputs.address,
        inputNames.length,
        this.outputNames.address,
        this.outputCount,
        this.outputs.address,
      ),
    );
  }

  /** The outputs by name, those that the runtime allocated included. */
  results(outputs: Outputs): Record<string, Tensor> {
    const entries = Object.entries(outputs).map(([name, given], index) => {
      return [name, given ?? this.session.runtime.adopt(this.outputs.at[index] ?? 0n)];
    });
    return Object.fromEntries(entries);
  }

  dispose(): void {
    for (const array of [this.inputs, this.inputNames, this.outputs, this.outputNames]) array.dispose();
  }
}

function pointerOf(tensor: Tensor | null | undefined): Pointer | undefined {
  return tensor ? nativeValue(tensor) : undefined;
}

function checkNames(session: Session, inputs: Inputs, outputs: Outputs): void {
  const missing = session.inputNames.filter((name) => inputs[name] === undefined);
  const unknown = [
    ...Object.keys(inputs).filter((name) => !session.inputNames.includes(name)),
    ...Object.keys(outputs).filter((name) => !session.outputNames.includes(name)),
  ];
  if (missing.length + unknown.length === 0) return;
  throw new Error(
    `A graph was called with other tensors than it has. Missing inputs: ${missing.join(', ') || 'none'}; ` +
      `names it has not: ${unknown.join(', ') || 'none'}.`,
  );
}
