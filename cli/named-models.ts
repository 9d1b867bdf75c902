/** Models that a recipe names: read, or told to be absent. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readCheckpoint } from '../activities/read-checkpoint.ts';
import type { Recipe } from '../contracts/recipe.ts';
import { type ModelFolder, readModelFolder } from '../engine/model-folder.ts';
import type { Connections } from './connections.ts';
import { InputError } from './errors.ts';

/** The base under `base`, students under their names: as the recipe says where they lie. */
const namedIn = ({ base, students }: Pick<Recipe, 'base' | 'students'>): [string, string][] =>
  Object.entries({ base, ...students });

/** Throws InputError naming every folder that is not there. */
export async function readModels(
  recipe: Recipe,
  folder: string,
  objects: Connections['objects'],
): Promise<{ base: ModelFolder; students: Record<string, ModelFolder> }> {
  refuseAbsent(await absentModels(recipe, folder));
  const base = await readModel(recipe.base, folder, objects);
  const students: Record<string, ModelFolder> = {};
  for (const [name, path] of Object.entries(recipe.students)) {
    students[name] = await readModel(path, folder, objects);
  }
  return { base, students };
}

function readModel(path: string, folder: string, objects: Connections['objects']): Promise<ModelFolder> {
  return isStored(path) ? readStored(path, objects) : readModelFolder(resolve(folder, path));
}

const isStored = (path: string) => path.startsWith('s3://');

async function readStored(uri: string, objects: Connections['objects']): Promise<ModelFolder> {
  const store = await objects();
  const { reference } = await store.getByUri(uri);
  return readCheckpoint({ objects: store }, reference);
}

export interface AbsentModel {
  /** `base`, or a student's name */
  name: string;
  path: string;
}

/** Those whose folder is not there. */
export async function absentModels(recipe: Recipe, folder: string): Promise<AbsentModel[]> {
  const found = await Promise.all(
    namedIn(recipe).map(async ([name, path]) => ({
      name,
      path: resolve(folder, path),
      isThere: isStored(path) || (await isFolder(resolve(folder, path))),
    })),
  );
  return found.flatMap(({ name, path, isThere }) => (isThere ? [] : [{ name, path }]));
}

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** `base /models/base` */
export const absentText = ({ name, path }: AbsentModel) =>
  `${name === 'base' ? name : `student ${name}`} ${path}`;

export function refuseAbsent(absent: readonly AbsentModel[]): void {
  const [first] = absent;
  if (first === undefined) return;
  const other = first.name === 'base' ? '--set base=FOLDER' : `--set students.${first.name}=FOLDER`;
  throw new InputError(
    `${absent.map(absentText).join(', ')}: expected a model’s folder, found none. ` +
      `Fetch one in Hugging Face layout (hf download ORGANISATION/MODEL --local-dir ${first.path}), make one (r1 pretrain), or name another (${other}).`,
  );
}
