/**
 * The safetensors file format: eight bytes with the header's length (little-endian), a JSON header
 * `{name: {dtype, shape, data_offsets: [begin, end]}}` padded with spaces to eight bytes, then the tensors'
 * bytes without gaps. Written as Hugging Face's own writer does: wide elements first, then by name, so that
 * every tensor is aligned and equal tensors give equal files. Pure: no file, no clock.
 */

/** What holds the elements in memory; halves stay bits. */
interface ArrayOf {
  F32: Float32Array;
  I32: Int32Array;
  I64: BigInt64Array;
  U8: Uint8Array;
  BF16: Uint16Array;
  F16: Uint16Array;
}
export type Dtype = keyof ArrayOf;

/** A tensor in memory, row-major. */
export type Tensor = {
  [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: ArrayOf[D] };
}[Dtype];

export interface DecodedSafetensors {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

type View<D extends Dtype> = (buffer: ArrayBufferLike, offset: number, elements: number) => ArrayOf[D];
interface Element<D extends Dtype> {
  bytes: number;
  /** place in the file: wider elements come first (safetensors' own order of dtypes, descending) */
  order: number;
  view: View<D>;
}

const ELEMENTS: { [D in Dtype]: Element<D> } = {
  I64: { bytes: 8, order: 0, view: (buffer, offset, n) => new BigInt64Array(buffer, offset, n) },
  F32: { bytes: 4, order: 1, view: (buffer, offset, n) => new Float32Array(buffer, offset, n) },
  I32: { bytes: 4, order: 2, view: (buffer, offset, n) => new Int32Array(buffer, offset, n) },
  BF16: { bytes: 2, order: 3, view: (buffer, offset, n) => new Uint16Array(buffer, offset, n) },
  F16: { bytes: 2, order: 4, view: (buffer, offset, n) => new Uint16Array(buffer, offset, n) },
  U8: { bytes: 1, order: 5, view: (buffer, offset, n) => new Uint8Array(buffer, offset, n) },
};

const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
const HEADER_LIMIT = 100_000_000;
const METADATA = '__metadata__';

/** Where a tensor's bytes lie; offsets count from the end of the header. */
interface Entry {
  name: string;
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
}

/** The number of elements of a shape. */
const elementsOf = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);

/** One file in memory. Throws Error where data and shape disagree. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(byWidthThenName);
  const entries = layOut(sorted);
  const header = headerBytes(entries, metadata);
  const dataOffset = LENGTH_BYTES + header.length;
  const file = new Uint8Array(dataOffset + (entries.at(-1)?.end ?? 0));
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, LENGTH_BYTES);
  for (const [index, [, { data }]] of sorted.entries()) {
    file.set(bytesOf(data), dataOffset + (entries[index]?.begin ?? 0));
  }
  return file;
}

/**
 * Reads one file from memory and proves that its tensors fill it exactly, in order and without overlap.
 * Tensors are views of `bytes` where it is aligned for them, copies else. `file` names it in errors.
 * Throws Error naming the tensor, what was expected and what was found.
 */
export function decodeSafetensors(bytes: Uint8Array, file = 'safetensors file'): DecodedSafetensors {
  const refuse: Refuse = (message) => {
    throw new Error(`${file}: ${message}`);
  };
  const dataOffset = LENGTH_BYTES + headerLength(bytes, refuse);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataOffset), refuse);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => readEntry(name, value, refuse))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  refuseGaps(entries, bytes.length - dataOffset, refuse);
  return {
    tensors: new Map(entries.map((entry) => [entry.name, tensorAt(bytes, dataOffset, entry)])),
    metadata: readMetadata(header[METADATA], refuse),
  };
}

type Refuse = (message: string) => never;
type Named = readonly [string, Tensor];

function byWidthThenName([aName, a]: Named, [bName, b]: Named): number {
  return ELEMENTS[a.dtype].order - ELEMENTS[b.dtype].order || (aName < bName ? -1 : 1);
}

function layOut(sorted: readonly Named[]): Entry[] {
  let begin = 0;
  return sorted.map(([name, { dtype, shape, data }]) => {
    if (name === METADATA)
      throw new Error(`tensor "${METADATA}": expected another name, this one is the format's own`);
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

function headerBytes(entries: readonly Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const sorted = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  const fields = entries.map(
    ({ name, dtype, shape, begin, end }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`,
  );
  if (Object.keys(metadata).length > 0) fields.unshift(`"${METADATA}":${JSON.stringify(sorted)}`);
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = new Uint8Array(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  padded.set(json);
  return padded;
}

const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function headerLength(bytes: Uint8Array, refuse: Refuse): number {
  if (bytes.length < LENGTH_BYTES) {
    return refuse(`truncated: expected at least ${LENGTH_BYTES} bytes, found ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const most = Math.min(HEADER_LIMIT, bytes.length - LENGTH_BYTES);
  if (length > most)
    refuse(`truncated, or no such file: expected a header of at most ${most} bytes, found ${length}`);
  return length;
}

function parseHeader(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  const header = parseJson(bytes, refuse);
  if (isObject(header)) return header;
  return refuse(`header: expected a JSON object, found ${JSON.stringify(header)?.slice(0, 40)}`);
}

function parseJson(bytes: Uint8Array, refuse: Refuse): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
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

function readEntry(name: string, value: unknown, refuse: Refuse): Entry {
  const where = `tensor "${name}"`;
  if (!isObject(value))
    return refuse(`${where}: expected dtype, shape and data_offsets, found ${JSON.stringify(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENTS, dtype)) {
    return refuse(
      `${where}: expected a dtype of ${Object.keys(ELEMENTS).join(', ')}, found ${JSON.stringify(dtype)}`,
    );
  }
  if (!isCounts(shape))
    return refuse(`${where}: expected a shape of whole numbers, found ${JSON.stringify(shape)}`);
  const [begin, end, ...more] = isCounts(offsets) ? offsets : [];
  if (begin === undefined || end === undefined || more.length > 0) {
    return refuse(`${where}: expected data_offsets [begin, end], found ${JSON.stringify(offsets)}`);
  }
  const bytes = elementsOf(shape) * ELEMENTS[dtype as Dtype].bytes;
  if (end - begin !== bytes) {
    refuse(`${where} of ${dtype}[${shape}]: expected ${bytes} bytes, found data_offsets of ${end - begin}`);
  }
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

function refuseGaps(entries: readonly Entry[], dataBytes: number, refuse: Refuse): void {
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

function tensorAt(bytes: Uint8Array, dataOffset: number, { dtype, shape, begin, end }: Entry): Tensor {
  const { bytes: width, view } = ELEMENTS[dtype];
  const offset = bytes.byteOffset + dataOffset + begin;
  const aligned = offset % width === 0;
  const buffer = aligned ? bytes.buffer : bytes.slice(dataOffset + begin, dataOffset + end).buffer;
  const data = view(buffer, aligned ? offset : 0, (end - begin) / width);
  return { dtype, shape, data } as Tensor;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
