/**
 * The safetensors file format: eight bytes with the header's length (little-endian), a JSON header
 * `{name: {dtype, shape, data_offsets: [begin, end]}}` padded with spaces to eight bytes, then the tensors'
 * bytes without gaps. Written as Hugging Face's own writer does: sorted by name, metadata
 * `{"format":"pt"}` first, so that equal tensors give equal files.
 */
import { z } from 'zod';

/** A tensor in JavaScript's memory, row-major. */
export interface StoredTensor {
  dtype: 'F32';
  shape: readonly number[];
  data: Float32Array;
}

/** Tensors by their Hugging Face names. */
export type StoredTensors = Map<string, StoredTensor>;

/** Thrown when weights cannot be what they claim to be; the message names file, tensor and remedy. */
export class WeightsError extends Error {
  override name = 'WeightsError';
}

/** Where a tensor's bytes lie; offsets count from the end of the header. */
export interface TensorEntry {
  name: string;
  dtype: string;
  shape: readonly number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  entries: TensorEntry[];
  /** where the tensors' bytes begin in the file */
  dataOffset: number;
}

type Element = 'F32' | 'F16' | 'BF16';

const LENGTH_BYTES = 8;
const HEADER_LIMIT = 100_000_000;
const REMEDY = 'Fetch or copy the file again.';

/** Bytes an element, and how a row of them becomes float32. */
const ELEMENTS: Record<Element, { bytes: number; read(view: DataView, out: Float32Array): void }> = {
  F32: { bytes: 4, read: readFloats },
  F16: { bytes: 2, read: readHalves },
  BF16: { bytes: 2, read: readBrainFloats },
};

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const headerSchema = z.record(z.string(), entrySchema);

/** The length of the header, from the file's first eight bytes. `file` names it in errors. */
export function headerLength(bytes: Uint8Array, fileBytes: number, file: string): number {
  if (bytes.length < LENGTH_BYTES) {
    throw new WeightsError(`${file} is truncated: it has ${fileBytes} bytes, not even a header. ${REMEDY}`);
  }
  const length = Number(viewOf(bytes).getBigUint64(0, true));
  if (length > HEADER_LIMIT || LENGTH_BYTES + length > fileBytes) {
    throw new WeightsError(
      `${file} is truncated or no safetensors file: its header should take ${length} bytes, the file has ${fileBytes}. ${REMEDY}`,
    );
  }
  return length;
}

/**
 * Reads a header and proves that its tensors fill the file exactly, in order and without overlap.
 * `bytes` holds at least the length and the header; `fileBytes` is the size of the whole file.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const length = headerLength(bytes, fileBytes, file);
  const dataOffset = LENGTH_BYTES + length;
  const parsed = headerSchema.safeParse(readJson(bytes.subarray(LENGTH_BYTES, dataOffset), file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new WeightsError(
      `${file} has a damaged header, at ${issue?.path.join('.')}: ${issue?.message}. ${REMEDY}`,
    );
  }
  const entries = Object.entries(parsed.data).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => {
      return { name, dtype, shape, begin, end };
    },
  );
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(entries, fileBytes - dataOffset, file);
  return { entries, dataOffset };
}

/** A tensor from its own bytes, which need not be aligned; F16 and BF16 become F32 (exactly). */
export function decodeTensor(entry: TensorEntry, bytes: Uint8Array): StoredTensor {
  const data = new Float32Array(elements(entry.shape));
  ELEMENTS[entry.dtype as Element].read(viewOf(bytes), data);
  return { dtype: 'F32', shape: entry.shape, data };
}

/** Reads a whole file from memory. Throws WeightsError. */
export function decodeSafetensors(bytes: Uint8Array, file = 'the safetensors file'): StoredTensors {
  const { entries, dataOffset } = parseHeader(bytes, bytes.length, file);
  return new Map(
    entries.map((entry) => {
      const { begin, end, name } = entry;
      return [name, decodeTensor(entry, bytes.subarray(dataOffset + begin, dataOffset + end))];
    }),
  );
}

/** The pieces of a file, to be written one after another; the tensors' bytes are views, not copies. */
export function safetensorsChunks(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array[] {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  return [headerBytes(header), ...sorted.map(([, { data }]) => littleEndianBytes(data))];
}

/** A whole file in memory. */
export function encodeSafetensors(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  return Buffer.concat(safetensorsChunks(tensors));
}

/** The bytes of a row of floats as they stand in files and digests: little-endian. */
export function littleEndianBytes(data: Float32Array): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return HOST_IS_LITTLE_ENDIAN ? bytes : Buffer.from(bytes).swap32();
}

/** The number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function headerBytes(header: Record<string, unknown>): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(LENGTH_BYTES + Math.ceil(json.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - LENGTH_BYTES), 0);
  json.copy(padded, LENGTH_BYTES);
  return padded;
}

function readJson(bytes: Uint8Array, file: string): unknown {
  try {
    const { __metadata__, ...tensors } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return tensors;
  } catch (error) {
    throw new WeightsError(
      `${file} has a damaged header: ${error instanceof Error ? error.message : error}. ${REMEDY}`,
    );
  }
}

function checkLayout(entries: readonly TensorEntry[], dataBytes: number, file: string): void {
  let expected = 0;
  for (const entry of entries) {
    checkEntry(entry, file);
    if (entry.begin !== expected) {
      throw new WeightsError(
        `${file}: tensor ${entry.name} should begin at byte ${expected} of the data, its header says ${entry.begin}. ${REMEDY}`,
      );
    }
    expected = entry.end;
    if (expected > dataBytes) {
      throw new WeightsError(
        `${file} is truncated within tensor ${entry.name}: expected ${expected} bytes of data, found ${dataBytes}. ${REMEDY}`,
      );
    }
  }
  if (expected !== dataBytes) {
    throw new WeightsError(
      `${file}: its tensors take ${expected} bytes, but ${dataBytes} bytes of data follow the header. ${REMEDY}`,
    );
  }
}

function checkEntry({ name, dtype, shape, begin, end }: TensorEntry, file: string): void {
  if (!(dtype in ELEMENTS)) {
    throw new WeightsError(
      `${file}: tensor ${name} has dtype ${dtype}; the engine reads ${Object.keys(ELEMENTS).join(', ')}. Convert the checkpoint to one of these.`,
    );
  }
  const expected = elements(shape) * ELEMENTS[dtype as Element].bytes;
  if (end - begin !== expected) {
    throw new WeightsError(
      `${file}: tensor ${name} of ${dtype}[${shape}] takes ${expected} bytes, its header gives ${end - begin}. ${REMEDY}`,
    );
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bits are copied as bytes, here and below as integers: a NaN keeps its payload. */
function readFloats(view: DataView, out: Float32Array): void {
  const bytes = Buffer.from(out.buffer);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  if (!HOST_IS_LITTLE_ENDIAN) bytes.swap32();
}

function readHalves(view: DataView, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = halfToNumber(view.getUint16(2 * i, true));
}

/** A bfloat16 is the upper half of a float32. */
function readBrainFloats(view: DataView, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
}

/** IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
