/**
 * Tensors: memory owned by the native runtime, read and written from JavaScript through a
 * typed array without a copy.
 */

/** The element types that the engine uses, and the typed array of each. */
export interface TypedArrays {
  float32: Float32Array;
  int32: Int32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
}

export type DType = keyof TypedArrays;

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  /** Sizes in elements, outermost axis first, row-major without gaps; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** The memory itself, not a copy. Throws once the tensor is disposed of. */
  readonly data: TypedArrays[D];
  /** Frees the memory. Views of it must not be used afterwards. */
  dispose(): void;
}

export type FloatTensor = Tensor<'float32'>;

/** Tensors by name; a model's weights have their Hugging Face names. */
export type TensorMap = ReadonlyMap<string, FloatTensor>;

/** Elements in a tensor of this shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Disposes of every tensor of a map. */
export function disposeAll(tensors: ReadonlyMap<string, Tensor>): void {
  for (const tensor of tensors.values()) tensor.dispose();
}
