/** Brings a model into the stores under a name, from wherever it is. */
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { nameSchema } from '../../../contracts/reference.ts';
import { asFileError, makeFolder } from '../../../infra/machine/file-errors.ts';
import { readSettings } from '../../../infra/settings.ts';
import { type AddedModel, addModel } from '../../../stores/data/models.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { InputError } from '../../errors.ts';
import type { Connections } from '../../stack/connections.ts';
import { hubRepository, locateModel, refuseOther } from '../model-location.ts';
import { convertGguf } from './gguf/convert-gguf.ts';
import { type ImportedModel, importModelFolder } from './import-model-folder.ts';

/** What `r1 model add` takes. */
export const SOURCE_HELP = 'a model’s folder in Hugging Face layout, or a GGUF file';

export interface AddOptions {
  /** by default made from the source */
  name?: string | undefined;
  /** prints a line */
  onProgress: (line: string) => void;
}

/**
 * Adds a model. Nothing is recorded before all of it is checked and stored; adding it again under its name changes
 * nothing. Throws InputError, Failure 'InvalidInput', or the errors of a model's files.
 */
export async function addFrom(
  source: string,
  { name = nameOf(source), onProgress }: AddOptions,
  { database, objects }: Pick<Connections, 'database' | 'objects'>,
): Promise<{ model: AddedModel; isNew: boolean }> {
  checkModelName(name);
  const location = await locateModel(source);
  if (location.kind !== 'gguf') refuseOther(source, location, SOURCE_HELP);
  const path = resolve(source);
  if (location.kind !== 'folder' && location.kind !== 'gguf')
    throw new InputError(`${source}: expected ${SOURCE_HELP}, found no such file or folder. Check the path.`);
  const store = await objects();
  const imported =
    location.kind === 'gguf'
      ? await importGguf(store, path, onProgress)
      : await importModelFolder(store, path);
  return addModel(await database(), { name, source: path, revision: null, ...imported });
}

/** By way of a folder on this disk, which is removed again. */
async function importGguf(
  objects: ObjectStore,
  path: string,
  onProgress: AddOptions['onProgress'],
): Promise<ImportedModel> {
  const cache = join(readSettings().cache, 'models');
  makeFolder(cache);
  const folder = await mkdtemp(join(cache, 'gguf-'));
  try {
    const { dtypes } = await convertGguf(path, folder);
    onProgress(`${path}: tensors of ${dtypes.join(', ')} are made into float32`);
    return { ...(await importModelFolder(objects, folder)), dtypes };
  } catch (error) {
    throw asFileError(error, `writing the model as float32 in ${folder}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A name for the model of a source: `Qwen/Qwen2.5-0.5B` becomes `qwen2-5-0-5b`. */
export function nameOf(source: string): string {
  const last = basename(hubRepository(source) ?? resolve(source));
  const plain = extname(last).toLowerCase() === '.gguf' ? last.slice(0, -'.gguf'.length) : last;
  return plain
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 63);
}

function checkModelName(name: string): void {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success) return;
  throw new InputError(`--name ${name || '(none)'}: ${parsed.error.issues[0]?.message ?? 'not a name'}`);
}
