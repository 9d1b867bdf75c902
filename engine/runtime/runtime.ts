/**
 * The native runtime: ONNX Runtime's C API, called through a foreign function interface in
 * the shared library of the package `onnxruntime-node`. The rest of the engine uses the
 * interfaces of session.ts only.
 *
 * The package's own Node binding is not used: it copies every output into a new
 * ArrayBuffer on each run. Here tensors are in the runtime's memory, JavaScript views them
 * without a copy, and one tensor may be input and output of the same run (gradient
 * accumulators, optimizer moments, key-value caches).
 *
 * Every call is synchronous and blocks its thread, so the engine runs in a worker thread.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import type { Numerics } from '../../contracts/numerics.ts';
import type { DType, Tensor, TypedArrays } from '../graph/tensor.ts';
import type { Native, NativeFunction, OrtApi, Pointer, PointerArray } from './ort-api.ts';
import { ORT_API_VERSION, ORT_FUNCTIONS } from './ort-api.ts';
import { OrtSession } from './ort-session.ts';
import { createTensor, viewRows } from './ort-tensor.ts';
import type { Runtime, RuntimeOptions, Session, SessionOptions } from './session.ts';

export type { BoundCall, Runtime, RuntimeOptions, Session } from './session.ts';

/**
 * Version of the layouts that decide the order of sums: how a batch is cut into micro-batches, and which operators its
 * graphs have. Numerics without it are of this layout.
 */
const LAYOUT = 'r1-layout-1';
const LOG_ERROR = 3;
const ALLOW_ALL_OPTIMIZATIONS = 99;

const LIBRARY_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/** Kept for the life of the process: koffi unloads a library that is garbage collected, although functions of it are in use. */
let library: LibraryHandle | undefined;

let opened: { runtime: Runtime; spinning: boolean } | undefined;

/**
 * Opens the process's runtime, or returns the one already open.
 * Throws when there is no library for the platform, or when the runtime is open with other options.
 */
export function openRuntime(options: RuntimeOptions = {}): Runtime {
  const threads = options.threads ?? opened?.runtime.numerics.threads ?? availableParallelism();
  const spinning = options.spinning ?? opened?.spinning ?? false;
  if (opened === undefined) opened = { runtime: new OrtRuntime(threads, spinning), spinning };
  if (opened.runtime.numerics.threads !== threads || opened.spinning !== spinning) {
    const { threads: present } = opened.runtime.numerics;
    throw new Error(
      `The runtime is open with ${present} threads (spinning: ${opened.spinning}); ${threads} (spinning: ${spinning}) were requested. ` +
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
      `onnxruntime-node has no library for ${process.platform}/${process.arch}; expected linux, darwin or win32.`,
    );
  }
  return join(root, 'bin', 'napi-v6', process.platform, process.arch, name);
}

/** Loads the library and reads the functions from its table. */
function loadApi(): { api: OrtApi; version: string } {
  library = koffi.load(libraryPath());
  const base = library.func('OrtGetApiBase', 'void *', [])() as Pointer;
  const [getApi, getVersion] = koffi.decode(base, 'void *', 2) as [Pointer, Pointer];
  const version = koffi.call(getVersion, koffi.proto('const char *(void)'));
  const table = koffi.call(getApi, koffi.proto('void *(uint32_t version)'), ORT_API_VERSION) as Pointer;
  const entries = Object.entries(ORT_FUNCTIONS).map(([name, [index, signature]]) => {
    const pointer = koffi.decode(table, index * koffi.sizeof('void *'), 'void *');
    return [name, koffi.decode(pointer, koffi.proto(signature))];
  });
  return { api: Object.fromEntries(entries) as OrtApi, version };
}

/** malloc_trim(3) of the GNU C library; nothing elsewhere. */
function loadTrim(): () => void {
  if (process.platform !== 'linux') return () => undefined;
  try {
    const trim = koffi.load('libc.so.6').func('int malloc_trim(size_t pad)');
    return () => void trim(0);
  } catch {
    // Another C library: it has no such function.
    return () => undefined;
  }
}

class OrtRuntime implements Runtime, Native {
  readonly numerics: Numerics;
  readonly trim = loadTrim();
  readonly api: OrtApi;
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
      computeDtype: 'float32',
      kernels: LAYOUT,
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

  check(status: unknown): void {
    if (status === null) return;
    const message = String(this.api.GetErrorMessage(status));
    this.api.ReleaseStatus(status);
    throw new Error(`ONNX Runtime: ${message}`);
  }

  make(create: NativeFunction, ...args: unknown[]): Pointer {
    const out: (Pointer | null)[] = [null];
    this.check(create(...args, out));
    const [pointer] = out;
    if (typeof pointer !== 'bigint')
      throw new Error('ONNX Runtime returned no object where one was expected.');
    return pointer;
  }

  withRunOptions(entries: Readonly<Record<string, string>>, run: (options: Pointer) => void): void {
    const { api } = this;
    const options = this.make(api.CreateRunOptions);
    try {
      for (const [key, value] of Object.entries(entries))
        this.check(api.AddRunConfigEntry(options, key, value));
      run(options);
    } finally {
      api.ReleaseRunOptions(options);
    }
  }

  createTensor<D extends DType>(
    dtype: D,
    shape: readonly number[],
    data?: ArrayLike<TypedArrays[D][number]>,
  ): Tensor<D> {
    return createTensor(this, dtype, shape, data);
  }

  viewRows<D extends DType>(tensor: Tensor<D>, rows: number): Tensor<D> {
    return viewRows(this, tensor, rows);
  }

  view(address: Pointer, bytes: number): ArrayBuffer {
    return koffi.view(address, bytes);
  }

  text(address: Pointer): string {
    return koffi.decode.string(address);
  }

  pointerArray(length: number): PointerArray {
    return new KoffiPointerArray(length);
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

class KoffiPointerArray implements PointerArray {
  readonly address: Pointer;
  readonly at: BigUint64Array;

  constructor(length: number) {
    const capacity = Math.max(length, 1);
    this.address = koffi.alloc('void *', capacity) as Pointer;
    this.at = new BigUint64Array(koffi.view(this.address, capacity * 8));
  }

  dispose(): void {
    koffi.free(this.address);
  }
}

/** The widest vector instructions that the runtime's kernels can choose on this machine. */
function instructionSet(): 'avx512' | 'avx2' | 'neon' | 'baseline' {
  if (process.arch === 'arm64') return 'neon';
  if (process.platform !== 'linux') return process.arch === 'x64' ? 'avx2' : 'baseline';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  if (/\bavx512f\b/.test(flags)) return 'avx512';
  return /\bavx2\b/.test(flags) ? 'avx2' : 'baseline';
}
