/**
 * The safetensors file format: eight bytes with the header's length (little-endian), a JSON header
 * `{name: {dtype, shape, data_offsets: [begin, end]}}` padded with spaces to eight bytes, then the tensors'
 * bytes without gaps. Files are written as by Hugging Face's library: wide elements first, then by name. Thus every
 * tensor is aligned, and equal tensors give equal files. Pure functions.
 */
import {
  DTYPES,
  type Dtype,
  decodeTensor,
  ELEMENTS,
  elementsOf,
  littleEndianBytes,
  type Tensor,
} from './dtypes.ts';

/** A tensor's location; offsets count from the end of the header. */
export interface TensorEntry<D extends Dtype = Dtype> {
  name: string;
  dtype: D;
  shape: readonly number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader<D extends Dtype = Dtype> {
  /** in the order of their offsets */
  entries: TensorEntry<D>[];
  metadata: Record<string, string>;
  /** offset of the tensors' bytes in the file */
  dataOffset: number;
}

export interface DecodedSafetensors {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

/** Thrown where bytes are not a complete safetensors file; the message names file and tensor, expected and found. */
export class SafetensorsError extends Error {
  override name = 'SafetensorsError';
}

/** Thrown where a tensor has a dtype that the reader does not support; the file itself may be valid. */
export class DtypeError extends SafetensorsError {
  override name = 'DtypeError';
}

/** Bytes of the header's length field at the start of a file. */
export const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
const HEADER_LIMIT = 100_000_000;
const METADATA = '__metadata__';

/** One file in memory. Throws Error where data and shape disagree. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const chunks = safetensorsChunks(tensors, metadata);
  const file = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.length;
  }
  return file;
}

/**
 * The pieces of a file, in order: length and header, then each tensor's bytes, which are views instead of copies on a
 * little-endian host. Throws Error where data and shape disagree.
 */
export function safetensorsChunks(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const sorted = [...tensors].sort(byWidthThenName);
  return [headerBytes(layOut(sorted), metadata), ...sorted.map(([, { data }]) => littleEndianBytes(data))];
}

/**
 * Decodes one file from memory and checks that its tensors fill it exactly, in order and without overlap. Tensors are
 * views of `bytes` where these are aligned, otherwise copies. `file`: its name in errors. Throws SafetensorsError with
 * the tensor, what was expected and what was found.
 */
export function decodeSafetensors(bytes: Uint8Array, file = 'safetensors file'): DecodedSafetensors {
  const { entries, metadata, dataOffset } = parseHeader(bytes, bytes.length, file, DTYPES);
  const tensors = entries.map((entry): [string, Tensor] => {
    const own = bytes.subarray(dataOffset + entry.begin, dataOffset + entry.end);
    return [entry.name, decodeTensor(entry.dtype, entry.shape, own)];
  });
  return { tensors: new Map(tensors), metadata };
}

/**
 * The offset of the tensors' bytes, read from the file's first `LENGTH_BYTES`; the header is between. `fileBytes` is
 * the size of the whole file. Throws SafetensorsError.
 */
export function readDataOffset(bytes: Uint8Array, fileBytes: number, file: string): number {
  if (bytes.length < LENGTH_BYTES) {
    throw new SafetensorsError(
      `${file}: truncated: expected at least ${LENGTH_BYTES} bytes, found ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const most = Math.min(HEADER_LIMIT, fileBytes - LENGTH_BYTES);
  if (length > most) {
    throw new SafetensorsError(
      `${file}: truncated, or not a safetensors file: expected a header of at most ${most} bytes, found ${length}`,
    );
  }
  return LENGTH_BYTES + length;
}

/**
 * Parses a header and checks that its tensors have one of `dtypes` and fill the file exactly, in order and without
 * overlap. `bytes` contains at least the file up to its data; `fileBytes` is the size of the whole file.
 * Throws DtypeError for a tensor of another dtype, SafetensorsError for an incomplete or invalid file.
 */
export function parseHeader<D extends Dtype>(
  bytes: Uint8Array,
  fileBytes: number,
  file: string,
  dtypes: readonly D[],
): SafetensorsHeader<D> {
  const dataOffset = readDataOffset(bytes, fileBytes, file);
  const refuse: Refuse = (message, Fault = SafetensorsError) => {
    throw new Fault(`${file}: ${message}`);
  };
  const { [METADATA]: metadata, ...fields } = parseFields(bytes.subarray(LENGTH_BYTES, dataOffset), refuse);
  const entries = Object.entries(fields)
    .map(([name, value]) => readEntry(name, value, dtypes, refuse))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  refuseGaps(entries, fileBytes - dataOffset, refuse);
  return { entries, metadata: readMetadata(metadata, refuse), dataOffset };
}

type Refuse = (message: string, Fault?: typeof SafetensorsError) => never;
type Named = readonly [string, Tensor];

function byWidthThenName([aName, a]: Named, [bName, b]: Named): number {
  return DTYPES.indexOf(a.dtype) - DTYPES.indexOf(b.dtype) || (aName < bName ? -1 : 1);
}

function layOut(sorted: readonly Named[]): TensorEntry[] {
  let begin = 0;
  return sorted.map(([name, { dtype, shape, data }]) => {
    if (name === METADATA)
      throw new Error(`tensor "${METADATA}": expected another name, since the format reserves this one`);
    if (elementsOf(shape) !== data.length) {
      throw new Error(
        `tensor "${name}" of ${dtype}[${shape}]: expected ${elementsOf(shape)} elements, found ${data.length}`,
      );
    }
    const entry = { name, dtype, shape: [...shape], begin, end: begin + data.byteLength };
    begin = entry.end;
    return entry;
  });
}

/** Length and header of a file with these tensors, in the order of their offsets. */
export function headerBytes(
  entries: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const sorted = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  const fields = entries.map(
    ({ name, dtype, shape, begin, end }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`,
  );
  if (Object.keys(metadata).length > 0) fields.unshift(`"${METADATA}":${JSON.stringify(sorted)}`);
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

function parseFields(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  const header = parseJson(bytes, refuse);
  if (isObject(header)) return header;
  return refuse(`header: expected a JSON object, found ${JSON.stringify(header)?.slice(0, 40)}`);
}

function parseJson(bytes: Uint8Array, refuse: Refuse): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return refuse(
      `header: expected JSON in UTF-8, found other bytes (${error instanceof Error ? error.message : error})`,
    );
  }
}

function readMetadata(value: unknown, refuse: Refuse): Record<string, string> {
  if (value === undefined) return {};
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
    return value as Record<string, string>;
  }
  return refuse(
    `header: expected ${METADATA} to map names to strings, found ${JSON.stringify(value).slice(0, 60)}`,
  );
}

function readEntry<D extends Dtype>(
  name: string,
  value: unknown,
  dtypes: readonly D[],
  refuse: Refuse,
): TensorEntry<D> {
  const where = `tensor "${name}"`;
  if (!isObject(value))
    return refuse(`${where}: expected dtype, shape and data_offsets, found ${JSON.stringify(value)}`);
  const { shape, data_offsets: offsets } = value;
  const dtype = dtypes.find((known) => known === value.dtype);
  if (dtype === undefined) {
    const found = JSON.stringify(value.dtype);
    const Fault = typeof value.dtype === 'string' ? DtypeError : SafetensorsError;
    return refuse(`${where}: expected a dtype of ${dtypes.join(', ')}, found ${found}`, Fault);
  }
  if (!isCounts(shape))
    return refuse(`${where}: expected a shape of whole numbers, found ${JSON.stringify(shape)}`);
  const [begin, end, ...more] = isCounts(offsets) ? offsets : [];
  if (begin === undefined || end === undefined || more.length > 0) {
    return refuse(`${where}: expected data_offsets [begin, end], found ${JSON.stringify(offsets)}`);
  }
  const bytes = elementsOf(shape) * ELEMENTS[dtype].bytes;
  if (end - begin !== bytes) {
    refuse(`${where} of ${dtype}[${shape}]: expected ${bytes} bytes, found data_offsets of ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function refuseGaps(entries: readonly TensorEntry[], dataBytes: number, refuse: Refuse): void {
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      const fault = begin < expected ? 'overlaps another' : 'leaves a gap';
      refuse(
        `tensor "${name}" ${fault}: expected it to begin at byte ${expected} of the data, found ${begin}`,
      );
    }
    if (end > dataBytes) {
      refuse(`truncated within tensor "${name}": expected ${end} bytes of data, found ${dataBytes}`);
    }
    expected = end;
  }
  if (expected !== dataBytes)
    refuse(`expected ${expected} bytes of data after the header, found ${dataBytes}`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
