/**
 * Weights in safetensors files: every tensor becomes float32 in memory, whether it was stored as F32, F16 or
 * BF16, and is written as F32 under the metadata `{"format":"pt"}`, as Hugging Face's own writer does.
 */
import { type Dtype, decodeTensor, type Tensor } from '../../contracts/format/dtypes.ts';
import {
  safetensorsChunks as chunks,
  DtypeError,
  encodeSafetensors as encode,
  LENGTH_BYTES,
  parseHeader,
  readDataOffset,
  SafetensorsError,
  type SafetensorsHeader,
  type TensorEntry,
} from '../../contracts/format/safetensors.ts';

/** A tensor in JavaScript's memory, row-major. */
export type StoredTensor = Tensor<'F32'>;

/** Tensors by their Hugging Face names. */
export type StoredTensors = Map<string, StoredTensor>;

/** Thrown when weights are damaged or do not fit; the message names file, tensor and remedy. */
export class WeightsError extends Error {
  override name = 'WeightsError';
}

/** Reads bytes of a file of known size: on disk, or in memory. */
export interface ByteSource {
  /** its name in errors */
  name: string;
  bytes: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What weights are stored in; this engine computes with float32. */
export type WeightDtype = 'F32' | 'F16' | 'BF16';

/** Weights as float32, in new memory. Exact: float32 represents every half and every bfloat16. */
export const WIDEN: { [D in WeightDtype]: (data: Tensor<D>['data']) => Float32Array } = {
  // copies bits, so a NaN keeps its payload
  F32: (data) => data.slice(),
  F16: widenHalves,
  BF16: widenBrainFloats,
};
export const WEIGHT_DTYPES = Object.keys(WIDEN) as WeightDtype[];

const METADATA = { format: 'pt' };

/** Reads one safetensors file, tensor by tensor, so that files beyond 2 GiB can be read. Throws WeightsError. */
export async function readSafetensors(source: ByteSource): Promise<StoredTensors> {
  const { entries, dataOffset } = await readHeader(source, WEIGHT_DTYPES);
  const tensors: StoredTensors = new Map();
  for (const entry of entries) {
    const bytes = await source.read(dataOffset + entry.begin, entry.end - entry.begin);
    tensors.set(entry.name, decodeWeight(entry, bytes));
  }
  return tensors;
}

/** Reads a whole file from memory. Throws WeightsError. */
export function decodeSafetensors(bytes: Uint8Array, file = 'the safetensors file'): StoredTensors {
  const { entries, dataOffset } = orWeightsError(() => parseHeader(bytes, bytes.length, file, WEIGHT_DTYPES));
  return new Map(
    entries.map((entry) => {
      const own = bytes.subarray(dataOffset + entry.begin, dataOffset + entry.end);
      return [entry.name, decodeWeight(entry, own)];
    }),
  );
}

/** The pieces of a file, to be written one after another; the tensors' bytes are views, not copies. */
export const safetensorsChunks = (tensors: ReadonlyMap<string, StoredTensor>): Uint8Array[] =>
  chunks(tensors, METADATA);

/** A whole file in memory. */
export const encodeSafetensors = (tensors: ReadonlyMap<string, StoredTensor>): Uint8Array =>
  encode(tensors, METADATA);

/** Copies of tensors, with a call after each. */
export function copyTensors(tensors: ReadonlyMap<string, StoredTensor>, onTensor: () => void): StoredTensors {
  const copies: StoredTensors = new Map();
  for (const [name, tensor] of tensors) {
    copies.set(name, { ...tensor, data: tensor.data.slice() });
    onTensor();
  }
  return copies;
}

/** The header of one file. Throws WeightsError where the file is not whole, or has a tensor of another dtype. */
export async function readHeader<D extends Dtype>(
  source: ByteSource,
  dtypes: readonly D[],
): Promise<SafetensorsHeader<D>> {
  const { name, bytes } = source;
  const length = await source.read(0, Math.min(LENGTH_BYTES, bytes));
  const dataOffset = orWeightsError(() => readDataOffset(length, bytes, name));
  const header = await source.read(0, dataOffset);
  return orWeightsError(() => parseHeader(header, bytes, name, dtypes));
}

/** Errors of the format as WeightsError, with what to do. */
export function orWeightsError<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    const remedy =
      error instanceof DtypeError
        ? 'Convert the checkpoint to one of these.'
        : 'Fetch or copy the file again.';
    throw new WeightsError(`${error.message}. ${remedy}`, { cause: error });
  }
}

function decodeWeight<D extends WeightDtype>(entry: TensorEntry<D>, bytes: Uint8Array): StoredTensor {
  const { dtype, shape } = entry;
  return { dtype: 'F32', shape, data: WIDEN[dtype](decodeTensor(dtype, shape, bytes).data) };
}

function widenHalves(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  bits.forEach((half, i) => {
    out[i] = halfToNumber(half);
  });
  return out;
}

/** A bfloat16 is the upper half of a float32; copied as bits, so a NaN keeps its payload. */
function widenBrainFloats(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  bits.forEach((brain, i) => {
    out[i] = brain << 16;
  });
  return new Float32Array(out.buffer);
}

/** IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
