/**
 * The dtypes of stored tensors: the typed array of their elements in memory, the bytes per element, and the byte order
 * of files and digests, which is little-endian on every host.
 */

/** The typed array of each dtype; 16-bit floats are kept as raw bits. */
interface ArrayOf {
  F32: Float32Array;
  I32: Int32Array;
  I64: BigInt64Array;
  F64: Float64Array;
  U8: Uint8Array;
  BF16: Uint16Array;
  F16: Uint16Array;
}

export type Dtype = keyof ArrayOf;

/** A tensor in memory, row-major. */
export type Tensor<D extends Dtype = Dtype> = {
  [Known in D]: { readonly dtype: Known; readonly shape: readonly number[]; readonly data: ArrayOf[Known] };
}[D];

interface Element<D extends Dtype> {
  bytes: number;
  /** a view of `n` elements at an aligned offset */
  view(buffer: ArrayBufferLike, offset: number, n: number): ArrayOf[D];
}

/** In the order of the safetensors library, descending: wider elements first. */
export const ELEMENTS: { readonly [D in Dtype]: Element<D> } = {
  I64: { bytes: 8, view: (buffer, offset, n) => new BigInt64Array(buffer, offset, n) },
  F64: { bytes: 8, view: (buffer, offset, n) => new Float64Array(buffer, offset, n) },
  F32: { bytes: 4, view: (buffer, offset, n) => new Float32Array(buffer, offset, n) },
  I32: { bytes: 4, view: (buffer, offset, n) => new Int32Array(buffer, offset, n) },
  BF16: { bytes: 2, view: (buffer, offset, n) => new Uint16Array(buffer, offset, n) },
  F16: { bytes: 2, view: (buffer, offset, n) => new Uint16Array(buffer, offset, n) },
  U8: { bytes: 1, view: (buffer, offset, n) => new Uint8Array(buffer, offset, n) },
};
export const DTYPES: readonly Dtype[] = Object.keys(ELEMENTS) as Dtype[];

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The number of elements of a shape. */
export const elementsOf = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);

/** A tensor from little-endian bytes: a view of them where they are aligned, otherwise a copy. */
export function decodeTensor<D extends Dtype>(
  dtype: D,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor<D> {
  const { bytes: width, view }: Element<D> = ELEMENTS[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  const row = littleEndian(aligned, width);
  const data = view(row.buffer, row.byteOffset, row.length / width);
  return { dtype, shape, data } as Tensor<D>;
}

/** The little-endian bytes of elements, for files and digests; a copy only on a big-endian host. */
export const littleEndianBytes = (row: ArrayOf[Dtype]): Uint8Array =>
  littleEndian(new Uint8Array(row.buffer, row.byteOffset, row.byteLength), row.BYTES_PER_ELEMENT);

/** Converts between the host's byte order and little-endian; on a big-endian host it reverses each element. */
function littleEndian(bytes: Uint8Array, width: number): Uint8Array {
  if (HOST_IS_LITTLE_ENDIAN) return bytes;
  const swapped = new Uint8Array(bytes);
  for (let at = 0; at < swapped.length; at += width) swapped.subarray(at, at + width).reverse();
  return swapped;
}
