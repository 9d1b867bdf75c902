/**
 * The part of ONNX Runtime's C API that the engine calls, as data. The API is a table of
 * function pointers, `OrtApi` in onnxruntime_c_api.h, which only ever grows: an index of a
 * released version keeps its meaning in every later version.
 */

/** Every function below exists since this version of the table. */
export const ORT_API_VERSION = 17;

/** Index in the table `OrtApi` and signature (koffi's notation) of each function used. */
export const ORT_FUNCTIONS = {
  GetErrorMessage: [2, 'const char *(void *status)'],
  CreateSessionFromArray: [
    8,
    'void *(void *env, void *model, size_t bytes, void *options, _Out_ void **session)',
  ],
  Run: [
    9,
    'void *(void *session, void *options, void *inputNames, void *inputs, size_t inputCount, void *outputNames, size_t outputCount, void *outputs)',
  ],
  CreateSessionOptions: [10, 'void *(_Out_ void **options)'],
  EnableProfiling: [14, 'void *(void *options, const char *prefix)'],
  DisableMemPattern: [17, 'void *(void *options)'],
  SetSessionGraphOptimizationLevel: [23, 'void *(void *options, int level)'],
  SessionGetInputCount: [30, 'void *(void *session, _Out_ size_t *count)'],
  SessionGetOutputCount: [31, 'void *(void *session, _Out_ size_t *count)'],
  SessionGetInputName: [36, 'void *(void *session, size_t index, void *allocator, _Out_ void **name)'],
  SessionGetOutputName: [37, 'void *(void *session, size_t index, void *allocator, _Out_ void **name)'],
  CreateRunOptions: [39, 'void *(_Out_ void **options)'],
  CreateTensorAsOrtValue: [
    48,
    'void *(void *allocator, int64_t *shape, size_t rank, int type, _Out_ void **value)',
  ],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void *(void *info, void *data, size_t bytes, int64_t *shape, size_t rank, int type, _Out_ void **value)',
  ],
  GetTensorMutableData: [51, 'void *(void *value, _Out_ void **data)'],
  GetTensorElementType: [60, 'void *(void *info, _Out_ int *type)'],
  GetDimensionsCount: [61, 'void *(void *info, _Out_ size_t *count)'],
  GetDimensions: [62, 'void *(void *info, _Out_ int64_t *dims, size_t count)'],
  GetTensorTypeAndShape: [65, 'void *(void *value, _Out_ void **info)'],
  CreateCpuMemoryInfo: [69, 'void *(int allocatorType, int memoryType, _Out_ void **info)'],
  AllocatorFree: [76, 'void *(void *allocator, void *memory)'],
  GetAllocatorWithDefaultOptions: [78, 'void *(_Out_ void **allocator)'],
  ReleaseStatus: [93, 'void (void *status)'],
  ReleaseMemoryInfo: [94, 'void (void *info)'],
  ReleaseSession: [95, 'void (void *session)'],
  ReleaseValue: [96, 'void (void *value)'],
  ReleaseRunOptions: [97, 'void (void *options)'],
  ReleaseTensorTypeAndShapeInfo: [99, 'void (void *info)'],
  ReleaseSessionOptions: [100, 'void (void *options)'],
  SessionEndProfiling: [110, 'void *(void *session, void *allocator, _Out_ void **name)'],
  CreateEnvWithGlobalThreadPools: [
    119,
    'void *(int logLevel, const char *logId, void *threading, _Out_ void **env)',
  ],
  DisablePerSessionThreads: [120, 'void *(void *options)'],
  CreateThreadingOptions: [121, 'void *(_Out_ void **threading)'],
  ReleaseThreadingOptions: [122, 'void (void *threading)'],
  SetGlobalIntraOpNumThreads: [147, 'void *(void *threading, int threads)'],
  SetGlobalInterOpNumThreads: [148, 'void *(void *threading, int threads)'],
  SetGlobalSpinControl: [149, 'void *(void *threading, int allow)'],
  AddRunConfigEntry: [165, 'void *(void *options, const char *key, const char *value)'],
} as const;

export type Pointer = bigint;
export type NativeFunction = (...args: unknown[]) => unknown;
export type OrtApi = Record<keyof typeof ORT_FUNCTIONS, NativeFunction>;

/** An array of pointers in native memory, written from JavaScript. */
export interface PointerArray {
  readonly address: Pointer;
  readonly at: BigUint64Array;
  dispose(): void;
}

export interface Native {
  readonly api: OrtApi;
  readonly allocator: Pointer;
  /** Throws what a failed call says; a null status is success. */
  check(status: unknown): void;
  /** Calls a function whose last parameter receives a pointer, and returns that pointer. */
  make(create: NativeFunction, ...args: unknown[]): Pointer;
  /** Calls `run` with options of a run that are released after it. */
  withRunOptions(entries: Readonly<Record<string, string>>, run: (options: Pointer) => void): void;
  /** Native memory as an ArrayBuffer, without a copy. */
  view(address: Pointer, bytes: number): ArrayBuffer;
  /** A zero-terminated UTF-8 string. */
  text(address: Pointer): string;
  pointerArray(length: number): PointerArray;
}
