/** Models that a recipe names: read, or told to be absent. */
import { resolve } from 'node:path';
import { readCheckpoint } from '../../activities/checkpoints/read-checkpoint.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { type ModelFolder, readModelFolder } from '../../engine/weights/model-folder.ts';
import { InputError } from '../errors.ts';
import {
  fetchCommand,
  hubRepository,
  lookAtModel,
  refuseOther,
  WHAT_IS_READ,
} from '../models/model-location.ts';
import type { Connections } from '../stack/connections.ts';
import type { PlaceOf } from './recipe-file.ts';

/** The base under `base`, students under their names: as the recipe says where they lie. */
const namedIn = ({ base, students }: Pick<Recipe, 'base' | 'students'>): [string, string][] =>
  Object.entries({ base, ...students });

/** Throws InputError naming every folder that is not there. */
export async function readModels(
  recipe: Recipe,
  folder: string,
  objects: Connections['objects'],
  at: PlaceOf = nowhere,
): Promise<{ base: ModelFolder; students: Record<string, ModelFolder> }> {
  refuseAbsent(await absentModels(recipe, folder, at), at);
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
  /** as the recipe has it */
  written: string;
}

/** Those whose folder is not there. Throws InputError where something else lies in its place. */
export async function absentModels(
  recipe: Recipe,
  folder: string,
  at: PlaceOf = nowhere,
): Promise<AbsentModel[]> {
  const absent: AbsentModel[] = [];
  for (const [name, written] of namedIn(recipe)) {
    if (isStored(written)) continue;
    const path = resolve(folder, written);
    const place = await lookAtModel(path);
    if (place.kind === 'other' && place.isAbsent) absent.push({ name, path, written });
    else refuseOther(`${at(keyOf(name))}${named(name)} ${path}`, place, 'a model’s folder');
  }
  return absent;
}

const nowhere: PlaceOf = () => '';
const keyOf = (name: string) => (name === 'base' ? [name] : ['students', name]);
const named = (name: string) => (name === 'base' ? name : `student ${name}`);

/** `base /models/base` */
export const absentText = ({ name, path }: AbsentModel) => `${named(name)} ${path}`;

export function refuseAbsent(absent: readonly AbsentModel[], at: PlaceOf = nowhere): void {
  const [first] = absent;
  if (first === undefined) return;
  const other = first.name === 'base' ? '--set base=FOLDER' : `--set students.${first.name}=FOLDER`;
  const repository = hubRepository(first.written) ?? 'ORGANISATION/MODEL';
  throw new InputError(
    `${at(keyOf(first.name))}${absent.map(absentText).join(', ')}: expected a model’s folder, found none. ` +
      `Fetch one in Hugging Face layout (${fetchCommand(repository, first.path)}), make one (r1 pretrain), or name another (${other}). ` +
      `${WHAT_IS_READ}.`,
  );
}
