/** Writes a model's folder into the object store, and says what the model is. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { importBase } from '../../../activities/checkpoints/import-base.ts';
import { DTYPES, elementsOf } from '../../../contracts/format/dtypes.ts';
import { ModelConfigError, parsePolicyConfig } from '../../../engine/model/model-config.ts';
import { TokenizerError } from '../../../engine/tokenizer/tokenizer-files.ts';
import {
  readAnyModelFolder,
  readModelFolder,
  type SampledModel,
} from '../../../engine/weights/model-folder.ts';
import { readHeader } from '../../../engine/weights/safetensors.ts';
import { withWeights } from '../../../engine/weights/weights.ts';
import type { AddedModel } from '../../../stores/data/models.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { licenseOf } from '../model-card.ts';

/** A model of a folder, in the object store. */
export type ImportedModel = Pick<
  AddedModel,
  'license' | 'architecture' | 'parameters' | 'context' | 'dtypes' | 'digest' | 'manifest'
>;

const configSchema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  vocab_size: z.int().positive(),
});

/**
 * Checks a model's folder and writes it into the object store. A model of an architecture that the embedded engine does
 * not compute is kept too, for other workers. Throws before anything is written where a file is missing or damaged.
 */
export async function importModelFolder(objects: ObjectStore, folder: string): Promise<ImportedModel> {
  const model = await readChecked(folder);
  const stored = await storedTensors(folder);
  const config = configSchema.parse(JSON.parse(textOf(model, 'config.json') ?? '{}'));
  const { manifest } = await importBase({ objects }, model);
  return {
    license: licenseOf(textOf(model, 'README.md')) ?? null,
    architecture: config.architectures?.[0] ?? config.model_type ?? 'unknown',
    parameters: stored.parameters,
    context: model.config.max_position_embeddings,
    dtypes: stored.dtypes,
    digest: model.digest,
    manifest,
  };
}

/** By the embedded engine's rules where it computes such a model, else by those that hold for every architecture. */
async function readChecked(folder: string): Promise<SampledModel> {
  const any = () => readAnyModelFolder(folder);
  try {
    return await readModelFolder(folder);
  } catch (error) {
    if (!(error instanceof ModelConfigError) || (await computedHere(folder))) throw error;
  }
  const model = await any();
  const config = configSchema.safeParse(JSON.parse(textOf(model, 'config.json') ?? '{}'));
  const problem = config.error?.issues[0];
  if (!config.success)
    throw new ModelConfigError(
      `${join(folder, 'config.json')}: ${problem?.path.join('.')}: ${problem?.message}. Fetch the file again.`,
    );
  refuseTokensBeyond(model, config.data.vocab_size, folder);
  return model;
}

/** Whether the embedded engine accepts the configuration: then the error is about another file. */
async function computedHere(folder: string): Promise<boolean> {
  try {
    const handle = await open(join(folder, 'config.json'));
    try {
      parsePolicyConfig(JSON.parse(await handle.readFile('utf8')));
      return true;
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}

function refuseTokensBeyond({ tokenizer }: SampledModel, vocabulary: number, folder: string): void {
  if (tokenizer.vocabSize <= vocabulary) return;
  throw new TokenizerError(
    `${folder}: expected a tokenizer of at most ${vocabulary} tokens (vocab_size of config.json), found ` +
      `${tokenizer.vocabSize}. Check that tokenizer and model belong together.`,
  );
}

const textOf = ({ files }: Pick<SampledModel, 'files'>, name: string): string | null => {
  const bytes = files.get(name);
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
};

/** The number of parameters in a folder's weights, and their dtypes, from the files' headers alone. */
async function storedTensors(folder: string): Promise<Pick<ImportedModel, 'parameters' | 'dtypes'>> {
  const elements = new Map<string, number>();
  await withWeights(folder, DTYPES, async ({ files }) => {
    for (const file of files)
      for (const { dtype, shape } of (await readHeader(file, DTYPES)).entries)
        elements.set(dtype, (elements.get(dtype) ?? 0) + elementsOf(shape));
  });
  const sorted = [...elements].sort(([, a], [, b]) => b - a);
  return {
    parameters: sorted.reduce((sum, [, count]) => sum + count, 0),
    dtypes: sorted.map(([dtype]) => dtype),
  };
}
