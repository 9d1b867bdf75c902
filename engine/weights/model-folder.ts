/**
 * A model as a Hugging Face folder, read and checked as a whole before any of it is used: its configuration,
 * every tensor that the configuration demands, and a tokenizer whose tokens all have an embedding.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { exportedCheckpointSchema } from '../../contracts/documents.ts';
import { DTYPES, type Dtype, elementsOf } from '../../contracts/format/dtypes.ts';
import { pretrainingSchema } from '../../contracts/pretrain.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { ModelConfigError, type parseModelConfig, parsePolicyConfig } from '../model/model-config.ts';
import { readTokenizerFolder, type Tokenizer, tokenizerOfTexts } from '../tokenizer/tokenizer.ts';
import { TOKENIZER_FILES, TokenizerError } from '../tokenizer/tokenizer-files.ts';
import { readModelFile, refuseLinksOutside } from './model-file.ts';
import { WEIGHT_DTYPES, WeightsError } from './safetensors.ts';
import {
  checkStored,
  digestOfSummaries,
  headerSummaries,
  joinSummaries,
  type StoredTensorSummaries,
  summariseFile,
} from './stored-tensors.ts';
import { INDEX_FILE, WEIGHTS_FILE, withWeights, withWeightsFile } from './weights.ts';

/** A safetensors file with some of a model's weights, or all. */
export interface WeightsFile {
  name: string;
  bytes: number;
  /** Runs `work` with the path of the file on this machine, which stays until `work` has ended. */
  use<Result>(work: (path: string) => Promise<Result>): Promise<Result>;
}

export interface ModelFolder {
  config: ModelConfig;
  tokenizer: Tokenizer;
  /** of the weights, over the dtypes that they are stored in (rule 11) */
  digest: string;
  /** the files beside the weights, by name; with the index where the weights are in several files */
  files: Map<string, Uint8Array>;
  /** as they were published: one file, or those of the index */
  weights: WeightsFile[];
}

/** A model whose weights this engine does not compute with: another worker does. Of any architecture. */
export interface SampledModel extends Pick<ModelFolder, 'tokenizer' | 'digest' | 'files' | 'weights'> {
  config: Pick<ModelConfig, 'max_position_embeddings'>;
}

/** The file that identifies an exported checkpoint. */
export const CHECKPOINT_FILE = 'checkpoint.json';

/** Files besides the weights; those that exist are kept. */
const COMPANIONS = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'README.md',
  'LICENSE',
];

/** Throws ModelConfigError, WeightsError or TokenizerError naming the file and the remedy. */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  await refuseLinksOutside(folder);
  const config = await readConfig(folder);
  const tokenizer = await readTokenizerFolder(folder);
  refuseTokensWithoutEmbedding(tokenizer, config, folder);
  const stored = await readStoredWeights(folder, WEIGHT_DTYPES, (tensors, source) =>
    checkStored(tensors, config, source),
  );
  return { config, tokenizer, ...(await readFiles(folder, stored)) };
}

/** The same of any architecture: its tensors are read, and not compared with the configuration. */
export async function readAnyModelFolder(folder: string): Promise<SampledModel> {
  await refuseLinksOutside(folder);
  const described = describedBy(await readCompanions(folder), folder);
  const stored = await readStoredWeights(folder, DTYPES, () => undefined);
  return { ...described, ...(await readFiles(folder, stored)) };
}

async function readFiles(
  folder: string,
  { tensors, weights }: StoredModel,
): Promise<Pick<ModelFolder, 'digest' | 'files' | 'weights'>> {
  const digest = digestOfSummaries(tensors);
  await refuseOtherWeights(folder, digest);
  const files = await readCompanions(folder);
  if (weights.length > 1 || weights[0]?.name !== WEIGHTS_FILE) {
    const index = await readModelFile(join(folder, INDEX_FILE));
    if (index !== undefined) files.set(INDEX_FILE, index);
  }
  return { digest, files: declareDtype(files, dtypeOf(tensors)), weights };
}

/** A folder's weights: what they are, and where. */
interface StoredModel {
  tensors: StoredTensorSummaries;
  weights: WeightsFile[];
}

/**
 * Reads a folder's weights once, in pieces. `check` is called with all tensors, and before that with what the headers say.
 * Throws WeightsError.
 */
export function readStoredWeights(
  folder: string,
  dtypes: readonly Dtype[],
  check: (tensors: StoredTensorSummaries, source: string) => void,
): Promise<StoredModel> {
  return withWeights(folder, dtypes, async ({ files, source }) => {
    const headers: StoredTensorSummaries[] = [];
    for (const file of files) headers.push(await headerSummaries(file, dtypes));
    check(joinSummaries(headers), source);
    const read: StoredTensorSummaries[] = [];
    for (const file of files) read.push((await summariseFile(file, dtypes)).tensors);
    const tensors = joinSummaries(read);
    check(tensors, source);
    const weights = files.map(({ name, bytes }): WeightsFile => {
      return { name: basename(name), bytes, use: (work) => work(name) };
    });
    return { tensors, weights };
  });
}

/** The dtype that most elements are stored in. */
export function dtypeOf(tensors: StoredTensorSummaries): Dtype {
  const elements = new Map<Dtype, number>();
  for (const { dtype, shape } of tensors.values())
    elements.set(dtype, (elements.get(dtype) ?? 0) + elementsOf(shape));
  return [...elements].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'F32';
}

/** A model by its files without the weights, whose digest is known. Throws ModelConfigError or TokenizerError. */
export const sampledModelOf = (
  files: Map<string, Uint8Array>,
  digest: string,
  source: string,
): SampledModel => ({ ...describedBy(files, source), digest, files, weights: [] });

const describedSchema = z.looseObject({
  max_position_embeddings: z.int('expected the number of positions').positive(),
  architectures: z
    .array(
      z.string().refine((name) => !name.endsWith('ForSequenceClassification'), {
        error: ({ input }) => `expected a model that generates, found ${JSON.stringify(input)}`,
      }),
    )
    .nullish(),
});

function describedBy(
  files: Map<string, Uint8Array>,
  source: string,
): Pick<SampledModel, 'config' | 'tokenizer'> {
  const named = `${source}: config.json`;
  const config = describedSchema.safeParse(parseJson(textOf(files, 'config.json', named), named));
  if (config.success)
    return { config: config.data, tokenizer: tokenizerOfTexts(tokenizerTexts(files), source) };
  const problems = config.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ModelConfigError(`${named}: ${problems.join('; ')}. Use another model.`);
}

const tokenizerTexts = (files: Map<string, Uint8Array>): Map<string, string> =>
  new Map(
    TOKENIZER_FILES.flatMap((name) => {
      const bytes = files.get(name);
      return bytes === undefined ? [] : [[name as string, decoder.decode(bytes)] as const];
    }),
  );

/** Files of exports and pre-trained models that state the digest of the weights. */
const declarations: Record<string, (json: unknown) => string | undefined> = {
  [CHECKPOINT_FILE]: (json) => exportedCheckpointSchema.parse(json).digest,
  'pretraining.json': (json) => Object.values(pretrainingSchema.parse(json).digests).at(-1),
};

/** A folder that declares its weights' digest must contain those weights. */
async function refuseOtherWeights(folder: string, digest: string): Promise<void> {
  for (const [name, declared] of Object.entries(declarations)) {
    const path = join(folder, name);
    const bytes = await readModelFile(path);
    const expected = bytes === undefined ? digest : declaredIn(declared, decoder.decode(bytes), path);
    if (expected === digest) continue;
    throw new WeightsError(
      `${join(folder, WEIGHTS_FILE)}: expected the weights ${expected} that ${name} names, found ${digest}. ` +
        `Fetch or copy the folder again; if you changed the weights on purpose, remove ${name}.`,
    );
  }
}

function declaredIn(
  declared: (json: unknown) => string | undefined,
  text: string,
  path: string,
): string | undefined {
  const json = parseJson(text, path);
  try {
    return declared(json);
  } catch (cause) {
    throw new ModelConfigError(
      `${path}: expected a document with the digest of the folder's weights, as an export writes it, found another. Remove it, or ` +
        'fetch the folder again.',
      { cause },
    );
  }
}

export interface ModelOptions {
  /** parses `config.json`; by default, models that generate are accepted */
  parseConfig?: typeof parseModelConfig;
}

/** A checkpoint's files: those beside the weights in memory. */
export interface CheckpointModel extends Pick<ModelFolder, 'files' | 'weights'> {
  /** names the checkpoint in errors */
  source: string;
}

/**
 * A model from a checkpoint's files, as an object store has them. Its weights are read once, in pieces. Throws as
 * `readModelFolder` does.
 */
export async function modelOfFiles(
  { files, weights, source }: CheckpointModel,
  { parseConfig = parsePolicyConfig }: ModelOptions = {},
): Promise<ModelFolder> {
  const named = (name: string) => `${source}: ${name}`;
  const json = (name: string) => parseJson(textOf(files, name, named(name)), named(name));
  const config = parseConfig(json('config.json'), named('config.json'));
  const tokenizer = tokenizerOfTexts(tokenizerTexts(files), source);
  refuseTokensWithoutEmbedding(tokenizer, config, source);
  const read: StoredTensorSummaries[] = [];
  const summarised = (path: string, name: string) =>
    withWeightsFile(path, named(name), (opened) => summariseFile(opened, WEIGHT_DTYPES));
  for (const { name, use } of weights) read.push((await use((path) => summarised(path, name))).tensors);
  const tensors = joinSummaries(read);
  checkStored(tensors, config, named(weights.length === 1 ? WEIGHTS_FILE : INDEX_FILE));
  return {
    config,
    tokenizer,
    digest: digestOfSummaries(tensors),
    files: declareDtype(new Map(files), dtypeOf(tensors)),
    weights,
  };
}

/** transformers' names of the dtypes that weights are published in. */
const DTYPE_NAMES: Partial<Record<Dtype, string>> = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

/**
 * Sets the dtype in `config.json` to that of the weights' files. A policy that was trained from a base in bfloat16 is
 * float32: a library that loads it as bfloat16 rounds away what training changed.
 */
export function declareDtype(files: Map<string, Uint8Array>, dtype: Dtype): Map<string, Uint8Array> {
  const bytes = files.get('config.json');
  const config: unknown = bytes === undefined ? null : JSON.parse(decoder.decode(bytes));
  const declared = declaredConfig(config, dtype);
  if (declared !== null) files.set('config.json', declared);
  return files;
}

/** The text of a configuration that names this dtype; null where the configuration is right as it is. */
export function declaredConfig(config: unknown, dtype: Dtype): Uint8Array | null {
  const name = DTYPE_NAMES[dtype];
  if (typeof config !== 'object' || config === null || name === undefined) return null;
  const entries = Object.entries(config).map(([key, value]) => [key, DTYPE_KEYS.has(key) ? name : value]);
  const declared = Object.fromEntries(entries);
  const same = Object.entries(config).every(([key, value]) => declared[key] === value);
  return same ? null : new TextEncoder().encode(`${JSON.stringify(declared, null, 2)}\n`);
}

/** transformers' keys of the dtype: the current and the previous one. */
const DTYPE_KEYS = new Set(['dtype', 'torch_dtype']);

const decoder = new TextDecoder();

const textOf = (files: Map<string, Uint8Array>, name: string, source: string) =>
  decoder.decode(bytesOf(files, name, source));

function bytesOf(files: Map<string, Uint8Array>, name: string, source: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes !== undefined) return bytes;
  throw new ModelConfigError(
    `${source}: expected a file, found none. Use another checkpoint, or import it again.`,
  );
}

async function readConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, 'config.json');
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new ModelConfigError(`${folder}: expected a model’s folder, found none. Check the path.`);
  }
  const bytes = await readModelFile(path);
  if (bytes === undefined) {
    throw new ModelConfigError(
      `${path}: expected a model’s configuration, found no readable file. Check that the folder is a model’s.`,
    );
  }
  return parsePolicyConfig(parseJson(decoder.decode(bytes), path), path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelConfigError(`${path}: expected JSON, found a damaged file. Fetch or copy it again.`, {
      cause,
    });
  }
}

/** A `vocab_size` above the tokenizer's is padding; below it, some token could not be embedded. */
function refuseTokensWithoutEmbedding(tokenizer: Tokenizer, config: ModelConfig, source: string): void {
  if (tokenizer.vocabSize <= config.vocab_size) return;
  throw new TokenizerError(
    `${source}: expected a tokenizer of at most ${config.vocab_size} tokens (vocab_size of config.json), ` +
      `found ${tokenizer.vocabSize}. Check that tokenizer and model belong together.`,
  );
}

async function readCompanions(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of COMPANIONS) {
    const bytes = await readModelFile(join(folder, name));
    if (bytes !== undefined) files.set(name, bytes);
  }
  return files;
}
