/** Writes the model of a GGUF file as a folder in Hugging Face layout, with float32 weights. */
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { elementsOf, littleEndianBytes } from '../../../../contracts/format/dtypes.ts';
import { InputError } from '../../../errors.ts';
import { type GgufFile, readGgufHeader, tensorValues, wholeTensor } from './gguf-file.ts';
import { configOf, Metadata, type NamedTensor, tensorNames, unpermuteRows } from './gguf-model.ts';
import { tokenizerOf } from './gguf-tokenizer.ts';

/** Limit of one file of weights. */
const MOST_BYTES = 4 * 2 ** 30;

export interface ConvertedModel {
  /** of the file's tensors, the most elements first */
  dtypes: string[];
}

/** Everything is checked before the first file is written. Throws InputError. */
export async function convertGguf(
  path: string,
  folder: string,
  { mostBytes = MOST_BYTES }: { mostBytes?: number } = {},
): Promise<ConvertedModel> {
  const file = await readGgufHeader(path);
  const metadata = new Metadata(file);
  const config = await configOf(file, metadata);
  const names = tensorNames(file, metadata);
  const tokenizer = tokenizerOf(file);
  const dtypes = dtypesOf(file);

  const put = (name: string, json: object) =>
    writeFile(join(folder, name), `${JSON.stringify(json, null, 2)}\n`);
  await put('config.json', config);
  await put('tokenizer.json', tokenizer.tokenizer);
  await put('tokenizer_config.json', tokenizer.config);
  await writeFile(join(folder, 'README.md'), cardOf(file, dtypes));
  await writeWeights(file, names, folder, mostBytes);
  return { dtypes };
}

function dtypesOf({ tensors }: GgufFile): string[] {
  const elements = new Map<string, number>();
  for (const { type, shape } of tensors.values())
    elements.set(type, (elements.get(type) ?? 0) + elementsOf(shape));
  return [...elements].sort(([, a], [, b]) => b - a).map(([type]) => type);
}

/** Says where the weights are from, under the licence that the file names. */
function cardOf({ path, metadata }: GgufFile, dtypes: readonly string[]): string {
  const license = metadata['general.license'];
  const front = typeof license === 'string' ? `---\nlicense: ${license.toLowerCase()}\n---\n\n` : '';
  const title = metadata['general.name'] ?? basename(path);
  return `${front}# ${title}\n\nMade from the GGUF file ${basename(path)}: its tensors (${dtypes.join(', ')}) as float32.\n`;
}

/** Names of files and the tensors in each, in the order of their names. */
function filesOf(
  file: GgufFile,
  names: ReadonlyMap<string, NamedTensor>,
  mostBytes: number,
): Map<string, string[]> {
  const parts: string[][] = [];
  let room = 0;
  for (const name of [...names.keys()].sort()) {
    const bytes = 4 * elementsOf(shapeOf(file, names, name));
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = mostBytes;
    }
    parts.at(-1)?.push(name);
    room -= bytes;
  }
  const number = (index: number) => String(index).padStart(5, '0');
  const fileName = (index: number) =>
    parts.length === 1
      ? 'model.safetensors'
      : `model-${number(index + 1)}-of-${number(parts.length)}.safetensors`;
  return new Map(parts.map((part, index) => [fileName(index), part]));
}

function shapeOf(
  { tensors, path }: GgufFile,
  names: ReadonlyMap<string, NamedTensor>,
  name: string,
): number[] {
  const tensor = tensors.get(names.get(name)?.from ?? '');
  if (tensor !== undefined) return tensor.shape;
  throw new InputError(`${path}: expected the tensor ${name}, found none.`);
}

async function writeWeights(
  file: GgufFile,
  names: ReadonlyMap<string, NamedTensor>,
  folder: string,
  mostBytes: number,
): Promise<void> {
  const files = filesOf(file, names, mostBytes);
  for (const [fileName, tensors] of files) {
    const handle = await open(join(folder, fileName), 'wx');
    try {
      await writeWhole(handle, headerOf(tensors.map((name) => [name, shapeOf(file, names, name)])));
      for (const name of tensors)
        for await (const values of valuesOf(file, names.get(name)))
          await writeWhole(handle, littleEndianBytes(values));
    } finally {
      await handle.close();
    }
  }
  if (files.size === 1) return;
  const weightMap = Object.fromEntries(
    [...files].flatMap(([fileName, tensors]) => tensors.map((name) => [name, fileName])),
  );
  const total = [...names.keys()].reduce((sum, name) => sum + 4 * elementsOf(shapeOf(file, names, name)), 0);
  await writeFile(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2),
  );
}

async function* valuesOf(file: GgufFile, named: NamedTensor | undefined): AsyncGenerator<Float32Array> {
  const tensor = file.tensors.get(named?.from ?? '');
  if (tensor === undefined || named === undefined) return;
  if (named.heads === null) yield* tensorValues(file.path, tensor);
  else yield unpermuteRows(await wholeTensor(file.path, tensor), tensor.shape[0] ?? 1, named.heads);
}

/** The header of a safetensors file of float32 tensors that follow each other. */
function headerOf(tensors: readonly (readonly [string, number[]])[]): Uint8Array {
  let begin = 0;
  const fields = tensors.map(([name, shape]) => {
    const offsets = [begin, begin + 4 * elementsOf(shape)];
    begin = offsets[1] ?? begin;
    return [name, { dtype: 'F32', shape, data_offsets: offsets }] as const;
  });
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(fields) });
  const text = Buffer.from(json.padEnd(8 * Math.ceil(Buffer.byteLength(json) / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
}
