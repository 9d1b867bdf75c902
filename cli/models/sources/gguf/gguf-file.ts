/** The header of a GGUF file, checked as a whole, and the values of its tensors. */
import { type FileHandle, open } from 'node:fs/promises';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import { elementsOf } from '../../../../contracts/format/dtypes.ts';
import { InputError, messageOf } from '../../../errors.ts';
import { BLOCK_TYPES, type BlockType, blockSize, dequantise } from './blocks.ts';

export interface GgufTensor {
  name: string;
  type: BlockType;
  /** outermost axis first, as in Hugging Face's files; GGUF lists the innermost first */
  shape: number[];
  /** position in the file */
  offset: number;
}

export interface GgufFile {
  path: string;
  metadata: Readonly<Record<string, unknown>>;
  /** by name */
  tensors: ReadonlyMap<string, GgufTensor>;
}

/** Throws InputError where the file is damaged, cut short, or has a tensor of a type that is not read. */
export async function readGgufHeader(path: string): Promise<GgufFile> {
  const header = await parse(path);
  const bytes = await sizeOf(path);
  if (!header.littleEndian)
    throw new InputError(`${path}: expected a little-endian GGUF file, found a big-endian one.`);
  refuseShort(path, bytes, Number(header.tensorDataOffset));
  const tensors = new Map<string, GgufTensor>();
  for (const { name, shape, dtype, offset } of header.tensorInfos) {
    if (tensors.has(name))
      throw new InputError(`${path}: expected each tensor once, found ${name} twice. Fetch the file again.`);
    const tensor = {
      name,
      type: typeOf(path, name, GGMLQuantizationType[dtype] ?? String(dtype)),
      shape: shape.map(Number).reverse(),
      offset: Number(header.tensorDataOffset + offset),
    };
    refuseShort(path, bytes, tensor.offset + bytesOf(path, tensor));
    tensors.set(name, tensor);
  }
  return { path, metadata: { ...header.metadata }, tensors };
}

async function parse(path: string) {
  try {
    return await gguf(path, { allowLocalFile: true });
  } catch (cause) {
    throw new InputError(
      `${path}: expected a GGUF file, found one that is damaged or cut short (${messageOf(cause)}). Fetch it again.`,
      { cause },
    );
  }
}

const sizeOf = (path: string) => withFile(path, async (handle) => (await handle.stat()).size);

function refuseShort(path: string, bytes: number, expected: number): void {
  if (expected <= bytes) return;
  throw new InputError(
    `${path}: cut short: expected at least ${expected} bytes, found ${bytes}. Fetch the file again.`,
  );
}

function typeOf(path: string, name: string, found: string): BlockType {
  const type = BLOCK_TYPES.find((known) => known === found);
  if (type !== undefined) return type;
  throw new InputError(
    `${path}: tensor ${name}: expected one of the types ${BLOCK_TYPES.join(', ')}, found ${found}. ` +
      'Choose another file of this model: F16, BF16 and Q8_0 lose least.',
  );
}

function bytesOf(path: string, { name, type, shape }: GgufTensor): number {
  const { elements, bytes } = blockSize(type);
  if ((shape.at(-1) ?? 1) % elements === 0) return (elementsOf(shape) / elements) * bytes;
  throw new InputError(
    `${path}: tensor ${name}: expected rows of a multiple of ${elements} elements (${type}), found ${shape.at(-1)}. Fetch the file again.`,
  );
}

/** Limit of what is read at once; a multiple of every block. */
const MOST_ELEMENTS = 2 ** 22;

/** The values of a tensor in their order, as pieces of bounded size. */
export async function* tensorValues(path: string, tensor: GgufTensor): AsyncGenerator<Float32Array> {
  const { elements, bytes } = blockSize(tensor.type);
  const handle = await open(path);
  try {
    const all = elementsOf(tensor.shape);
    for (let done = 0; done < all; done += MOST_ELEMENTS) {
      const length = (Math.min(MOST_ELEMENTS, all - done) / elements) * bytes;
      const piece = await readAt(handle, tensor.offset + (done / elements) * bytes, length, path);
      yield dequantise(tensor.type, piece);
    }
  } finally {
    await handle.close();
  }
}

/** The same in one array, for tensors whose rows are put into another order. */
export async function wholeTensor(path: string, tensor: GgufTensor): Promise<Float32Array> {
  const values = new Float32Array(elementsOf(tensor.shape));
  let at = 0;
  for await (const piece of tensorValues(path, tensor)) {
    values.set(piece, at);
    at += piece.length;
  }
  return values;
}

async function readAt(handle: FileHandle, offset: number, length: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new InputError(`${path} became shorter while it was read. Try again.`);
    done += bytesRead;
  }
  return bytes;
}

async function withFile<Result>(
  path: string,
  work: (handle: FileHandle) => Promise<Result>,
): Promise<Result> {
  const handle = await open(path);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
