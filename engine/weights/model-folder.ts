/**
 * A model as a Hugging Face folder, read and checked as a whole before any of it is used: its configuration,
 * every tensor that the configuration demands, and a tokenizer whose tokens all have an embedding.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exportedCheckpointSchema } from '../../contracts/documents.ts';
import { pretrainingSchema } from '../../contracts/pretrain.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { ModelConfigError, type parseModelConfig, parsePolicyConfig } from '../model/model-config.ts';
import { readTokenizerFolder, type Tokenizer, tokenizerOfTexts } from '../tokenizer/tokenizer.ts';
import { TOKENIZER_FILES, TokenizerError } from '../tokenizer/tokenizer-files.ts';
import { digestTensors } from './digest.ts';
import { readModelFile, refuseLinksOutside } from './model-file.ts';
import { decodeSafetensors, encodeSafetensors, WeightsError } from './safetensors.ts';
import { checkWeights, readAnyWeights, readWeightsFolder, WEIGHTS_FILE } from './weights.ts';

export interface ModelFolder {
  config: ModelConfig;
  tokenizer: Tokenizer;
  /** of the weights */
  digest: string;
  /** the files of a checkpoint, by name; the weights are one float32 safetensors file */
  files: Map<string, Uint8Array>;
}

/** A model whose weights this engine does not compute with: another worker does. Of any architecture. */
export interface SampledModel extends Pick<ModelFolder, 'tokenizer' | 'digest' | 'files'> {
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
  const weights = await readWeightsFolder(folder, config);
  const digest = digestTensors(weights);
  await refuseOtherWeights(folder, digest);
  const files = await readCompanions(folder);
  files.set(WEIGHTS_FILE, encodeSafetensors(weights));
  declareFloat32(files);
  return { config, tokenizer, digest, files };
}

/** The same of any architecture: its tensors are read, and not compared with the configuration. */
export async function readAnyModelFolder(folder: string): Promise<SampledModel> {
  await refuseLinksOutside(folder);
  const files = await readCompanions(folder);
  const described = describedBy(files, folder);
  const weights = await readAnyWeights(folder);
  const digest = digestTensors(weights);
  await refuseOtherWeights(folder, digest);
  files.set(WEIGHTS_FILE, encodeSafetensors(weights));
  return { ...described, digest, files: declareFloat32(files) };
}

/** A model by its files without the weights, whose digest is known. Throws ModelConfigError or TokenizerError. */
export const sampledModelOf = (
  files: Map<string, Uint8Array>,
  digest: string,
  source: string,
): SampledModel => ({ ...describedBy(files, source), digest, files });

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

/**
 * A model from files in memory, as a checkpoint in an object store has them: weights in one file. `source`
 * names them in errors. Throws as `readModelFolder` does.
 */
export function modelOfFiles(
  files: Map<string, Uint8Array>,
  source: string,
  { parseConfig = parsePolicyConfig }: ModelOptions = {},
): ModelFolder {
  const named = (name: string) => `${source}: ${name}`;
  const json = (name: string) => parseJson(textOf(files, name, named(name)), named(name));
  const config = parseConfig(json('config.json'), named('config.json'));
  const tokenizer = tokenizerOfTexts(tokenizerTexts(files), source);
  refuseTokensWithoutEmbedding(tokenizer, config, source);
  const stored = decodeSafetensors(bytesOf(files, WEIGHTS_FILE, named(WEIGHTS_FILE)), named(WEIGHTS_FILE));
  return {
    config,
    tokenizer,
    digest: digestTensors(checkWeights(stored, config, named(WEIGHTS_FILE))),
    files: declareFloat32(new Map(files)),
  };
}

/**
 * Sets the dtype in `config.json` to that of the weights' file. A base that was published in bfloat16 names that dtype:
 * a library that loads the float32 weights as bfloat16 rounds away what training changed.
 */
function declareFloat32(files: Map<string, Uint8Array>): Map<string, Uint8Array> {
  const bytes = files.get('config.json');
  const config: unknown = bytes === undefined ? null : JSON.parse(decoder.decode(bytes));
  if (typeof config !== 'object' || config === null) return files;
  const declared = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, DTYPE_KEYS.has(key) ? 'float32' : value]),
  );
  const same = Object.entries(config).every(([key, value]) => declared[key] === value);
  if (!same) files.set('config.json', new TextEncoder().encode(`${JSON.stringify(declared, null, 2)}\n`));
  return files;
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
