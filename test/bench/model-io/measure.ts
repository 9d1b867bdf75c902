/** A made-up model through every way in and out: its weights are never in memory whole, here or anywhere. */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointObjects, readManifest } from '../../../activities/checkpoints/checkpoint-files.ts';
import { importBase } from '../../../activities/checkpoints/import-base.ts';
import { nanoTokenizerConfigJson, nanoTokenizerJson } from '../../../algorithm/nano/tokenizer.ts';
import { exportWeights } from '../../../cli/models/export-weights.ts';
import { headerBytes } from '../../../contracts/format/safetensors.ts';
import type { Manifest } from '../../../contracts/training.ts';
import { formatModelConfig } from '../../../engine/model/model-config.ts';
import { nanoModelConfig } from '../../../engine/model/nano-base.ts';
import { readAnyModelFolder, type WeightsFile } from '../../../engine/weights/model-folder.ts';
import { INDEX_FILE } from '../../../engine/weights/weights.ts';
import { type ByteSource, withFileSource } from '../../../stores/objects/byte-source.ts';
import { createFileCache } from '../../../stores/objects/file-cache.ts';
import { keys } from '../../../stores/objects/keys.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';

export interface ModelIoSize {
  /** of all weights */
  bytes: number;
  /** of one file */
  fileBytes: number;
}

export interface PartFigures {
  part: string;
  bytes: number;
  seconds: number;
  /** the largest resident set of this process, less that before the first part */
  memory: number;
}

const BYTES_PER_ELEMENT = 2;
/** Elements of a tensor, but for the last of a file: about 64 MB. */
const TENSOR_ELEMENTS = 2 ** 25;
const PIECE = 8 * 2 ** 20;

/** Runs the parts one after the other in `folder`, which has room for the model three times. */
export async function measureModelIo(
  objects: ObjectStore,
  { folder, bytes, fileBytes, cacheLimit }: ModelIoSize & { folder: string; cacheLimit: number },
  onPart: (figures: PartFigures) => void = () => undefined,
): Promise<PartFigures[]> {
  const cache = createFileCache({ folder: join(folder, 'cache'), limit: cacheLimit });
  const source = join(folder, 'source');
  await writeModel(source, { bytes, fileBytes });
  const base = process.memoryUsage.rss();
  const figures: PartFigures[] = [];
  const part = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
    const measured = await watched(base, work);
    figures.push({ part: name, bytes, ...measured.figures });
    onPart({ part: name, bytes, ...measured.figures });
    return measured.result;
  };

  const imported = await part('import', async () => {
    const model = await readAnyModelFolder(source);
    return await importBase({ objects }, { ...model, weights: model.weights.map(removedAfterUse) });
  });
  const manifest = await readManifest(objects, imported.manifest);
  const { weights } = await checkpointObjects(objects, manifest, imported.manifest.uri);
  await part('acquire', async () => {
    for (const [, file] of weights)
      await cache.use(objects, file, (path) => withFileSource(path, (read) => readThrough(read)));
  });
  const lease = { run: 'model-io', stage: 'zero', branch: 0, term: 1 };
  const files = await part('checkpoint', async () => {
    const written: Manifest['files'] = {};
    for (const [name, file] of weights)
      written[name] = await cache.use(objects, file, (path) =>
        withFileSource(path, (read) => objects.putSource(keys.checkpointFile(lease, 1, name), read)),
      );
    return written;
  });
  await part('export', async () => {
    const index = manifest.files[INDEX_FILE];
    return await exportWeights(
      {
        objects,
        weights: Object.entries(files),
        index: index === undefined ? null : await objects.get(index),
        digest: imported.digests.weights,
        uri: imported.manifest.uri,
      },
      join(folder, 'exported'),
      null,
    );
  });
  return figures;
}

/** Each file goes once it is stored: the disk never holds all of it twice. */
const removedAfterUse = (file: WeightsFile): WeightsFile => ({
  ...file,
  use: (work) =>
    file.use(async (path) => {
      const result = await work(path);
      await rm(path);
      return result;
    }),
});

async function readThrough({ bytes, read }: ByteSource): Promise<void> {
  for (let at = 0; at < bytes; at += PIECE) await read(at, Math.min(PIECE, bytes - at));
}

async function watched<Result>(
  base: number,
  work: () => Promise<Result>,
): Promise<{ result: Result; figures: Pick<PartFigures, 'seconds' | 'memory'> }> {
  let memory = 0;
  const look = () => {
    memory = Math.max(memory, process.memoryUsage.rss() - base);
  };
  const looking = setInterval(look, 20);
  const began = performance.now();
  try {
    const result = await work();
    look();
    return { result, figures: { seconds: (performance.now() - began) / 1000, memory } };
  } finally {
    clearInterval(looking);
  }
}

/** A folder with weights in bfloat16 whose bytes differ from tensor to tensor, of no architecture that the engine knows. */
async function writeModel(folder: string, { bytes, fileBytes }: ModelIoSize): Promise<void> {
  await mkdir(folder, { recursive: true });
  const count = Math.ceil(bytes / fileBytes);
  const weightMap: Record<string, string> = {};
  for (let file = 0; file < count; file++) {
    const name = `model-${numbered(file + 1)}-of-${numbered(count)}.safetensors`;
    const size = Math.min(fileBytes, bytes - file * fileBytes);
    for (const tensor of await writeFileOf(join(folder, name), file, size)) weightMap[tensor] = name;
  }
  const config = nanoModelConfig(ARCHITECTURE);
  const texts: Record<string, string> = {
    'config.json': JSON.stringify({
      ...JSON.parse(formatModelConfig(config)),
      model_type: 'made-up',
      architectures: ['MadeUpForCausalLM'],
      torch_dtype: 'bfloat16',
      dtype: 'bfloat16',
    }),
    'tokenizer.json': JSON.stringify(nanoTokenizerJson()),
    'tokenizer_config.json': JSON.stringify(nanoTokenizerConfigJson(config.max_position_embeddings)),
    [INDEX_FILE]: JSON.stringify({ metadata: { total_size: bytes }, weight_map: weightMap }),
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
}

const numbered = (n: number) => String(n).padStart(5, '0');

async function writeFileOf(path: string, file: number, bytes: number): Promise<string[]> {
  const total = Math.floor(bytes / BYTES_PER_ELEMENT);
  const tensors = Array.from({ length: Math.ceil(total / TENSOR_ELEMENTS) }, (_, n) => {
    const begin = n * TENSOR_ELEMENTS * BYTES_PER_ELEMENT;
    const elements = Math.min(TENSOR_ELEMENTS, total - n * TENSOR_ELEMENTS);
    const end = begin + elements * BYTES_PER_ELEMENT;
    return { name: `layer.${file}.${n}`, dtype: 'BF16' as const, shape: [elements], begin, end };
  });
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(headerBytes(tensors, { format: 'pt' }));
    const piece = new Uint16Array(PIECE / BYTES_PER_ELEMENT);
    for (const [n, { begin, end }] of tensors.entries())
      for (let at = begin; at < end; at += PIECE) {
        piece.fill(0x3c00 + ((file * 64 + n) % 256));
        piece[0] = (at / PIECE) % 0x3c00;
        await handle.writeFile(new Uint8Array(piece.buffer, 0, Math.min(PIECE, end - at)));
      }
  } finally {
    await handle.close();
  }
  return tensors.map(({ name }) => name);
}

const ARCHITECTURE = {
  num_hidden_layers: 1,
  hidden_size: 16,
  intermediate_size: 16,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  initializer_range: 0.02,
};
