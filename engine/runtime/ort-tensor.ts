/** Tensors in the native runtime's memory. */

import { type DType, elementCount, type Tensor, type TypedArrays } from '../graph/tensor.ts';
import type { Native, Pointer } from './ort-api.ts';

// onnxruntime_c_api.h: OrtAllocatorType, OrtMemType
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

/** ONNX's number, size in bytes, and view of each element type. */
const DTYPES: { [D in DType]: { onnx: number; bytes: number; view(buffer: ArrayBuffer): TypedArrays[D] } } = {
  float32: { onnx: 1, bytes: 4, view: (buffer) => new Float32Array(buffer) },
  int32: { onnx: 6, bytes: 4, view: (buffer) => new Int32Array(buffer) },
  int64: { onnx: 7, bytes: 8, view: (buffer) => new BigInt64Array(buffer) },
  bool: { onnx: 9, bytes: 1, view: (buffer) => new Uint8Array(buffer) },
};

class OrtTensor<D extends DType> implements Tensor<D> {
  readonly dtype: D;
  readonly shape: readonly number[];
  private readonly native: Native;
  private pointer: Pointer | undefined;
  private view: TypedArrays[D] | undefined;

  constructor(native: Native, value: Pointer, dtype: D, shape: readonly number[]) {
    this.native = native;
    this.pointer = value;
    this.dtype = dtype;
    this.shape = shape;
  }

  /** The native value. */
  get value(): Pointer {
    if (this.pointer === undefined) {
      throw new Error(`A ${this.dtype} tensor of shape [${this.shape}] was used after dispose().`);
    }
    return this.pointer;
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
    const { native } = this;
    return view(native.view(native.make(native.api.GetTensorMutableData, value), size));
  }

  clear(): void {
    new Uint8Array(this.data.buffer).fill(0);
  }

  dispose(): void {
    if (this.pointer !== undefined) this.native.api.ReleaseValue(this.pointer);
    this.pointer = undefined;
    this.view = undefined;
  }
}

/** The native value of a tensor given to the runtime. */
export function nativeValue(tensor: Tensor): Pointer {
  if (tensor instanceof OrtTensor) return tensor.value;
  throw new Error('A tensor given to a session was not made by this runtime; use createTensor().');
}

/** A tensor in new memory; zeros unless `data` is given. */
export function createTensor<D extends DType>(
  native: Native,
  dtype: D,
  shape: readonly number[],
  data?: ArrayLike<TypedArrays[D][number]>,
): Tensor<D> {
  const dims = BigInt64Array.from(shape, BigInt);
  const { onnx } = DTYPES[dtype];
  const value = native.make(native.api.CreateTensorAsOrtValue, native.allocator, dims, shape.length, onnx);
  const tensor = new OrtTensor(native, value, dtype, [...shape]);
  if (data === undefined) tensor.clear();
  else fill(tensor, data);
  return tensor;
}

function dtypeOf(onnx: number): DType {
  for (const dtype of Object.keys(DTYPES) as DType[]) if (DTYPES[dtype].onnx === onnx) return dtype;
  throw new Error(`A graph's output has ONNX element type ${onnx}; expected float32, int32, int64 or bool.`);
}

function fill<D extends DType>(tensor: Tensor<D>, data: ArrayLike<TypedArrays[D][number]>): void {
  if (data.length !== tensor.data.length) {
    throw new Error(
      `A tensor of shape [${tensor.shape}] has ${tensor.data.length} elements; ${data.length} were given.`,
    );
  }
  (tensor.data as { set(source: ArrayLike<unknown>): void }).set(data);
}

/** The first `rows` rows of a tensor, in its own memory. */
export function viewRows<D extends DType>(native: Native, tensor: Tensor<D>, rows: number): Tensor<D> {
  const { api } = native;
  const [whole, ...rest] = tensor.shape;
  if (whole === undefined || rows > whole) {
    throw new Error(`A tensor of shape [${tensor.shape}] has fewer than ${rows} rows.`);
  }
  const { onnx, bytes } = DTYPES[tensor.dtype];
  const shape = [rows, ...rest];
  const dims = BigInt64Array.from(shape, BigInt);
  const memory = native.make(api.GetTensorMutableData, nativeValue(tensor));
  const info = native.make(api.CreateCpuMemoryInfo, ARENA_ALLOCATOR, DEFAULT_MEMORY);
  const args = [info, memory, elementCount(shape) * bytes, dims, shape.length, onnx];
  const value = native.make(api.CreateTensorWithDataAsOrtValue, ...args);
  api.ReleaseMemoryInfo(info);
  return new OrtTensor(native, value, tensor.dtype, shape);
}

/** A tensor over a value that the runtime allocated itself. */
export function adopt(native: Native, value: Pointer): Tensor {
  const { api } = native;
  const info = native.make(api.GetTensorTypeAndShape, value);
  const type: number[] = [0];
  const rank: number[] = [0];
  native.check(api.GetTensorElementType(info, type));
  native.check(api.GetDimensionsCount(info, rank));
  const dims = new BigInt64Array(rank[0] ?? 0);
  native.check(api.GetDimensions(info, dims, dims.length));
  api.ReleaseTensorTypeAndShapeInfo(info);
  return new OrtTensor(native, value, dtypeOf(type[0] ?? 0), Array.from(dims, Number));
}
