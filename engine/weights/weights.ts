/**
 * The weights of a Hugging Face folder: `model.safetensors`, or shards listed in
 * `model.safetensors.index.json`. All tensors are checked against the configuration
 * before any of them is used.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Dtype, littleEndianBytes } from '../../contracts/format/dtypes.ts';
import { fileNameSchema } from '../../contracts/reference.ts';
import { expectedTensors, type ModelConfig, WEIGHT } from '../model/architecture.ts';
import { openModelFile } from './model-file.ts';
import {
  type ByteSource,
  readHeader,
  readSafetensors,
  type StoredTensor,
  type StoredTensors,
  safetensorsChunks,
  WEIGHT_DTYPES,
  WeightsError,
} from './safetensors.ts';

export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** The files of a checkpoint by name: a folder, or a prefix of an object store. */
interface CheckpointFiles {
  /** the folder, for errors; undefined: the files' names include it */
  folder?: string;
  /** undefined where there is no such file */
  open(name: string): Promise<ByteSource | undefined>;
}

const indexSchema = z.object({ weight_map: z.record(z.string(), fileNameSchema) });

/**
 * Reads a checkpoint's weights, whole or sharded, and checks them against the configuration.
 * Throws WeightsError naming file and tensor.
 */
async function readCheckpointWeights(files: CheckpointFiles, config: ModelConfig): Promise<StoredTensors> {
  const { tensors, source } = await readTensors(files);
  return checkWeights(tensors, config, source);
}

async function readTensors(files: CheckpointFiles): Promise<{ tensors: StoredTensors; source: string }> {
  const found = await findWeights(files);
  const tensors: StoredTensors = new Map();
  for (const file of found.files)
    for (const [name, tensor] of await readSafetensors(file)) tensors.set(name, tensor);
  return { tensors, source: found.source };
}

/** The files that have a model's weights. */
export interface FoundWeights {
  files: ByteSource[];
  /** the file or the index, for errors about all tensors */
  source: string;
}

/**
 * The files of a folder's weights, whole by their headers: every tensor once, and where the index says. Throws
 * WeightsError.
 */
async function findWeights(
  files: CheckpointFiles,
  dtypes: readonly Dtype[] = WEIGHT_DTYPES,
): Promise<FoundWeights> {
  const single = await files.open(WEIGHTS_FILE);
  if (single !== undefined) {
    await readHeader(single, dtypes);
    return { files: [single], source: single.name };
  }
  const index = await files.open(INDEX_FILE);
  if (index === undefined) {
    throw new WeightsError(
      `${files.folder === undefined ? '' : `${files.folder}: `}No weights: expected ${WEIGHTS_FILE}, or ${INDEX_FILE} with its shards. ` +
        'Check the path; weights in other formats (.bin, .gguf) must be converted to safetensors.',
    );
  }
  const shardOf = parseIndex(await index.read(0, index.bytes), index.name);
  const found: ByteSource[] = [];
  const tensors = new Set<string>();
  for (const shard of shardsOf(shardOf)) {
    const source = await openShard(files, shard, index.name);
    const { entries } = await readHeader(source, dtypes);
    for (const { name } of entries) {
      refuseOtherShard(name, shard, shardOf, index.name);
      tensors.add(name);
    }
    found.push(source);
  }
  requireListed(tensors, shardOf);
  return { files: found, source: index.name };
}

/** The names of the files that an index lists, each once. */
export const shardsOf = (shardOf: ReadonlyMap<string, string>): string[] =>
  [...new Set(shardOf.values())].sort();

/** Runs `work` with the files of a folder's weights, open. Throws WeightsError. */
export const withWeights = <Result>(
  folder: string,
  dtypes: readonly Dtype[],
  work: (found: FoundWeights) => Promise<Result>,
): Promise<Result> => withFolder(folder, async (files) => await work(await findWeights(files, dtypes)));

/** `readCheckpointWeights` of a folder on disk. */
export const readWeightsFolder = (folder: string, config: ModelConfig): Promise<StoredTensors> =>
  withFolder(folder, (files) => readCheckpointWeights(files, config));

/** Runs `work` with one file, open. Throws WeightsError where there is none. `name`: its name in errors. */
export async function withWeightsFile<Result>(
  path: string,
  name: string,
  work: (file: ByteSource) => Promise<Result>,
): Promise<Result> {
  const file = await openModelFile(path);
  if (file === undefined) throw new WeightsError(`${name}: expected a file, found none. Fetch it again.`);
  try {
    return await work(handleSource(file.handle, file.bytes, path, name));
  } finally {
    await file.handle.close();
  }
}

async function withFolder<Result>(
  folder: string,
  work: (files: CheckpointFiles) => Promise<Result>,
): Promise<Result> {
  const handles: FileHandle[] = [];
  try {
    return await work(folderFiles(folder, handles));
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

/** A source over bytes already in memory. */
export function bufferSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    bytes: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** Writes one safetensors file. */
async function writeSafetensorsFile(path: string, tensors: ReadonlyMap<string, StoredTensor>): Promise<void> {
  const handle = await open(path, 'w');
  try {
    for (const chunk of safetensorsChunks(tensors)) await writeWhole(handle, chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A folder's weights in one file, named as transformers looks for them. */
export async function writeWeightsFolder(
  folder: string,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<void> {
  await writeSafetensorsFile(join(folder, WEIGHTS_FILE), tensors);
}

/**
 * Checks that the tensors are those that the configuration demands, and returns them in the order of the
 * forward pass. Ignored: the rotary buffers of old checkpoints, and an output projection beside a tied embedding
 * with the same bits.
 */
export function checkWeights(tensors: StoredTensors, config: ModelConfig, source: string): StoredTensors {
  refuseOtherTensors(tensors, config, source, () => hasTiedProjection(tensors));
  const expected = [...expectedTensors(config).keys()];
  return new Map(expected.map((name) => [name, finite(name, tensors, source)]));
}

/** `isTied`: whether output projection and embedding have the same bytes. Throws WeightsError. */
export function refuseOtherTensors(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  config: ModelConfig,
  source: string,
  isTied: () => boolean,
): void {
  const expected = expectedTensors(config);
  const isRedundant = (name: string) =>
    name.endsWith('.rotary_emb.inv_freq') ||
    (name === WEIGHT.outputProjection && config.tie_word_embeddings && isTied());
  const unexpected = [...tensors.keys()].filter((name) => !expected.has(name) && !isRedundant(name));
  if (unexpected.length > 0) {
    throw new WeightsError(
      `${source} has ${listed(unexpected)}, which config.json does not demand. ` +
        'Check that config.json and weights belong together, and that the model has no parts beyond those of its architecture.',
    );
  }
  const missing = [...expected.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0) {
    throw new WeightsError(
      `${source} lacks ${listed(missing)}, which config.json demands. ` +
        'Fetch the checkpoint again, or check that config.json and weights belong together.',
    );
  }
  for (const [name, shape] of expected) refuseOtherShape(name, shape, tensors.get(name)?.shape, source);
}

/** Throws WeightsError. */
export function refuseOtherShape(
  name: string,
  shape: readonly number[],
  found: readonly number[] | undefined,
  source: string,
): void {
  if (found?.join() === shape.join()) return;
  throw new WeightsError(
    `${source}: tensor ${name}: expected shape [${shape}] from config.json, found [${found}]. ` +
      'Check that config.json and weights belong together.',
  );
}

/** Tensors of a trainer (or any float32 memory) as stored tensors, without a copy. */
export function storedTensors(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>,
): StoredTensors {
  return new Map([...tensors].map(([name, { shape, data }]) => [name, { dtype: 'F32', shape, data }]));
}

function finite(name: string, tensors: StoredTensors, source: string): StoredTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new WeightsError(`${source} lacks tensor ${name}.`);
  const index = firstNotFinite(tensor.data);
  if (index === null) return tensor;
  throw new WeightsError(
    `${source}: expected finite numbers in tensor ${name}, found ${tensor.data[index]} at element ${index}. ` +
      'Fetch or copy the file again, or use another checkpoint.',
  );
}

function firstNotFinite(data: Float32Array): number | null {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return null;
}

function hasTiedProjection(tensors: StoredTensors): boolean {
  const [head, embedding] = [tensors.get(WEIGHT.outputProjection), tensors.get(WEIGHT.embedding)];
  if (head === undefined || embedding === undefined) return false;
  return Buffer.compare(littleEndianBytes(head.data), littleEndianBytes(embedding.data)) === 0;
}

function refuseOtherShard(
  name: string,
  shard: string,
  shardOf: ReadonlyMap<string, string>,
  index: string,
): void {
  if (shardOf.get(name) === shard) return;
  throw new WeightsError(
    `${shard} has tensor ${name}, which ${index} lists in ${shardOf.get(name) ?? 'no shard'}. Fetch the checkpoint again.`,
  );
}

async function openShard(files: CheckpointFiles, shard: string, index: string): Promise<ByteSource> {
  const source = await files.open(shard);
  if (source !== undefined) return source;
  throw new WeightsError(
    `${index} names the shard ${shard}, which does not exist. Fetch the checkpoint again.`,
  );
}

function requireListed(tensors: ReadonlySet<string>, shardOf: ReadonlyMap<string, string>): void {
  for (const [name, shard] of shardOf) {
    if (!tensors.has(name)) {
      throw new WeightsError(
        `${shard} lacks tensor ${name}, listed in the index. Fetch the checkpoint again.`,
      );
    }
  }
}

/** The file of each tensor, by the text of an index. `name`: of the index, for errors. Throws WeightsError. */
export function parseIndex(bytes: Uint8Array, name: string): Map<string, string> {
  const refuse = (found: string, cause?: unknown): never => {
    throw new WeightsError(
      `${name}: expected an index of shards, "weight_map" with the name of a file for each tensor, found ${found}. ` +
        'Fetch the checkpoint again.',
      { cause },
    );
  };
  try {
    const text = Buffer.from(bytes).toString('utf8');
    const json: unknown = JSON.parse(text);
    const { weight_map } = indexSchema.parse(json, { reportInput: true });
    const twice = keysTwice(text).find((key) => Object.hasOwn(weight_map, key));
    if (twice !== undefined) refuse(`${JSON.stringify(twice)} twice`);
    return new Map(Object.entries(weight_map));
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    return refuse(error instanceof z.ZodError ? problemIn(error) : 'no JSON', error);
  }
}

/** Keys that a text in valid JSON has more than once, of which a parser keeps the last alone. */
function keysTwice(text: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (let begin = text.indexOf('"'); begin !== -1; ) {
    let end = begin + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    let next = end + 1;
    while (next < text.length && text[next]?.trim() === '') next += 1;
    if (text[next] === ':') {
      const key = String(JSON.parse(text.slice(begin, end + 1)));
      if (seen.has(key)) twice.push(key);
      seen.add(key);
    }
    begin = text.indexOf('"', next);
  }
  return twice;
}

function problemIn({ issues: [issue] }: z.ZodError): string {
  const found = typeof issue?.input === 'string' ? ` (${JSON.stringify(issue.input.slice(0, 80))})` : '';
  return `${issue?.path.join('.') || 'a document'}: ${issue?.message}${found}`;
}

function folderFiles(folder: string, handles: FileHandle[]): CheckpointFiles {
  return {
    folder,
    async open(name) {
      const path = join(folder, name);
      const file = await openModelFile(path);
      if (file === undefined) return undefined;
      const { handle, bytes } = file;
      handles.push(handle);
      return handleSource(handle, bytes, path);
    },
  };
}

const handleSource = (handle: FileHandle, bytes: number, path: string, name = path): ByteSource => ({
  name,
  bytes,
  read: (offset, length) => readWhole(handle, offset, length, path),
});

async function readWhole(
  handle: FileHandle,
  offset: number,
  length: number,
  path: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new WeightsError(`${path} became shorter while it was read. Try again.`);
    done += bytesRead;
  }
  return bytes;
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `${names.length === 1 ? 'the tensor' : `${names.length} tensors:`} ${shown}${more}`;
}
