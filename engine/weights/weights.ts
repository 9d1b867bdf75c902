/**
 * The weights of a Hugging Face folder: `model.safetensors`, or shards listed in
 * `model.safetensors.index.json`. All tensors are checked against the configuration
 * before any of them is used.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { littleEndianBytes } from '../../contracts/format/dtypes.ts';
import { fileNameSchema } from '../../contracts/reference.ts';
import { expectedTensors, type ModelConfig, WEIGHT } from '../model/architecture.ts';
import { openModelFile } from './model-file.ts';
import {
  type ByteSource,
  readSafetensors,
  type StoredTensor,
  type StoredTensors,
  safetensorsChunks,
  WeightsError,
} from './safetensors.ts';

export const WEIGHTS_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';

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
  const single = await files.open(WEIGHTS_FILE);
  const tensors = single ? await readSafetensors(single) : await readShards(files);
  return { tensors, source: single?.name ?? INDEX_FILE };
}

/** `readCheckpointWeights` of a folder on disk. */
export const readWeightsFolder = (folder: string, config: ModelConfig): Promise<StoredTensors> =>
  withFolder(folder, (files) => readCheckpointWeights(files, config));

/** The tensors of a folder, of any architecture. */
export const readAnyWeights = (folder: string): Promise<StoredTensors> =>
  withFolder(folder, async (files) => (await readTensors(files)).tensors);

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
  const expected = expectedTensors(config);
  const unexpected = [...tensors.keys()].filter(
    (name) => !expected.has(name) && !isRedundant(name, tensors, config),
  );
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
  return new Map([...expected].map(([name, shape]) => [name, shaped(name, shape, tensors, source)]));
}

/** Tensors of a trainer (or any float32 memory) as stored tensors, without a copy. */
export function storedTensors(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>,
): StoredTensors {
  return new Map([...tensors].map(([name, { shape, data }]) => [name, { dtype: 'F32', shape, data }]));
}

function shaped(name: string, shape: readonly number[], tensors: StoredTensors, source: string) {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new WeightsError(`${source} lacks tensor ${name}.`);
  if (tensor.shape.join() !== shape.join()) {
    throw new WeightsError(
      `${source}: tensor ${name}: expected shape [${shape}] from config.json, found [${tensor.shape}]. ` +
        'Check that config.json and weights belong together.',
    );
  }
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

function isRedundant(name: string, tensors: StoredTensors, config: ModelConfig): boolean {
  if (name.endsWith('.rotary_emb.inv_freq')) return true;
  if (name !== WEIGHT.outputProjection || !config.tie_word_embeddings) return false;
  const [head, embedding] = [tensors.get(name), tensors.get(WEIGHT.embedding)];
  if (head === undefined || embedding === undefined) return false;
  return Buffer.compare(littleEndianBytes(head.data), littleEndianBytes(embedding.data)) === 0;
}

async function readShards(files: CheckpointFiles): Promise<StoredTensors> {
  const index = await files.open(INDEX_FILE);
  if (index === undefined) {
    throw new WeightsError(
      `${files.folder === undefined ? '' : `${files.folder}: `}No weights: expected ${WEIGHTS_FILE}, or ${INDEX_FILE} with its shards. ` +
        'Check the path; weights in other formats (.bin, .gguf) must be converted to safetensors.',
    );
  }
  const shardOf = parseIndex(await index.read(0, index.bytes), index.name);
  const tensors: StoredTensors = new Map();
  for (const shard of [...new Set(shardOf.values())].sort()) {
    for (const [name, tensor] of await readShard(files, shard, index.name)) {
      if (shardOf.get(name) === shard) tensors.set(name, tensor);
      else {
        const listedIn = shardOf.get(name) ?? 'no shard';
        throw new WeightsError(
          `${shard} has tensor ${name}, which ${index.name} lists in ${listedIn}. Fetch the checkpoint again.`,
        );
      }
    }
  }
  return requireListed(tensors, shardOf);
}

async function readShard(files: CheckpointFiles, shard: string, index: string): Promise<StoredTensors> {
  const source = await files.open(shard);
  if (source !== undefined) return readSafetensors(source);
  throw new WeightsError(
    `${index} names the shard ${shard}, which does not exist. Fetch the checkpoint again.`,
  );
}

function requireListed(tensors: StoredTensors, shardOf: ReadonlyMap<string, string>): StoredTensors {
  for (const [name, shard] of shardOf) {
    if (!tensors.has(name)) {
      throw new WeightsError(
        `${shard} lacks tensor ${name}, listed in the index. Fetch the checkpoint again.`,
      );
    }
  }
  return tensors;
}

function parseIndex(bytes: Uint8Array, name: string): Map<string, string> {
  try {
    const { weight_map } = indexSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')), {
      reportInput: true,
    });
    return new Map(Object.entries(weight_map));
  } catch (error) {
    const problem = error instanceof z.ZodError ? problemIn(error) : 'no JSON';
    throw new WeightsError(
      `${name}: expected an index of shards, "weight_map" with the name of a file for each tensor, found ${problem}. ` +
        'Fetch the checkpoint again.',
      { cause: error },
    );
  }
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
      return { name: path, bytes, read: (offset, length) => readWhole(handle, offset, length, path) };
    },
  };
}

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
