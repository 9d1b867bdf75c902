/** Resolves what a recipe names: prompts, models, examples to imitate, preferences to rank by. Writes nothing. */
import { resolve } from 'node:path';
import { readCheckpoint } from '../../activities/checkpoints/read-checkpoint.ts';
import type { ImportedPrompt, ImportedPrompts } from '../../algorithm/data/prompt-rows.ts';
import { nanoGeneralRows, plainResponse } from '../../algorithm/nano/general.ts';
import { nanoPreferencePairs, nanoSafetyLabels } from '../../algorithm/nano/preferences.ts';
import type { NewExample } from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { ExampleSource, PreferenceSource, PromptSource, Recipe } from '../../contracts/recipe.ts';
import type { Reference } from '../../contracts/reference.ts';
import { type ModelFolder, readModelFolder } from '../../engine/weights/model-folder.ts';
import { readSettings } from '../../infra/settings.ts';
import { importedSet } from '../../stores/data/imported-sets.ts';
import { findModel } from '../../stores/data/models.ts';
import type { NewPreference } from '../../stores/data/preferences.ts';
import type { Queryable } from '../../stores/database/database.ts';
import { createFileCache } from '../../stores/objects/file-cache.ts';
import { findCheckpoint } from '../../stores/steps/checkpoints.ts';
import { readPromptSource } from '../data/prompt-source.ts';
import { examplesIn, type LinesText, preferencesIn, readLinesText } from '../data/training-files.ts';
import { CommandError, InputError } from '../errors.ts';
import {
  fetchCommand,
  hubRepository,
  locateModel,
  refuseOther,
  WHAT_IS_READ,
} from '../models/model-location.ts';
import type { PlaceOf, RecipeFile } from '../recipe/recipe-file.ts';
import type { Connections } from '../stack/connections.ts';

/** The recipe, the folder that its paths are relative to, and the stores that hold imported sets. */
type LaunchSources = Required<RecipeFile> & Pick<Connections, 'database' | 'objects'>;

/** A recipe with its prompts. */
export interface WithPrompts {
  recipe: Recipe;
  /** how an error about a key of the recipe begins */
  at: PlaceOf;
  reasoning: readonly ImportedPrompt[];
  /** reasoning prompts, then general ones */
  prompts: ImportedPrompts;
  generalDomains: string[];
}
export interface WithModels extends WithPrompts {
  models: Models;
}
/** A recipe with everything that it names. */
export interface ResolvedLaunch extends WithModels {
  data: LaunchData;
}

export async function resolvePrompts({ recipe, at, ...stored }: LaunchSources): Promise<WithPrompts> {
  const read = (key: 'prompts' | 'general_prompts', source: PromptSource) =>
    readPromptSource(source, stored).catch((error: unknown) => {
      // A generator's error is about the recipe; an error about a file names its own file and line.
      const isGenerated = source.source !== 'jsonl' && source.source !== 'imported';
      throw isGenerated && error instanceof Failure ? new InputError(`${at([key])}${error.message}`) : error;
    });
  const reasoning = await read('prompts', recipe.prompts);
  const general = recipe.general_prompts && (await read('general_prompts', recipe.general_prompts));
  return {
    recipe,
    at,
    reasoning: reasoning.prompts,
    prompts: { ...reasoning, prompts: [...reasoning.prompts, ...(general?.prompts ?? [])] },
    generalDomains: [...new Set(general?.prompts.map(({ domain }) => domain))],
  };
}

export interface Models {
  base: ModelFolder;
  /** by name */
  students: Record<string, ModelFolder>;
}

/** Throws InputError that names every missing folder. */
export async function resolveModels(sources: LaunchSources): Promise<Models> {
  const { recipe, folder, at, objects } = sources;
  refuseAbsent(await absentModels(sources), at);
  const read = async (written: string) => {
    const path = resolve(folder, written);
    if (!isStored(written) && (await locateModel(path)).kind === 'folder') return readModelFolder(path);
    const store = await objects();
    const manifest = isStored(written)
      ? (await store.getByUri(written)).reference
      : await namedManifest(written, await sources.database());
    if (manifest === undefined) return readModelFolder(path);
    const cache = createFileCache(readSettings().modelCache);
    return readCheckpoint({ objects: store, cache }, manifest);
  };
  const base = await read(recipe.base);
  const students: Models['students'] = {};
  for (const [name, path] of Object.entries(recipe.students)) students[name] = await read(path);
  return { base, students };
}

const isStored = (path: string) => path.startsWith('s3://');

interface AbsentModel {
  /** `base`, or a student's name */
  name: string;
  path: string;
  /** the path as the recipe has it */
  written: string;
}

/** The manifest of an added model or of a run's checkpoint; undefined where the name leads to neither. */
async function namedManifest(written: string, reader: Queryable): Promise<Reference | undefined> {
  if ((await locateModel(written)).kind !== 'checkpoint') return undefined;
  const added = await findModel(reader, written);
  if (added !== undefined) return added.manifest;
  try {
    return (await findCheckpoint(reader, written)).manifest;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'InvalidInput') return undefined;
    throw error;
  }
}

/** Whether a name leads to an added model or a checkpoint; where no stack runs, none is known. */
async function isNamed(written: string, database: Connections['database'] | undefined): Promise<boolean> {
  if (database === undefined || (await locateModel(written)).kind !== 'checkpoint') return false;
  try {
    return (await namedManifest(written, await database())) !== undefined;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/** The models whose folder does not exist, and which have no such name. Throws InputError where the path leads to something else. */
export async function absentModels({
  recipe: { base, students },
  folder,
  at = () => '',
  database,
}: RecipeFile & Partial<Pick<Connections, 'database'>>): Promise<AbsentModel[]> {
  const absent: AbsentModel[] = [];
  for (const [name, written] of Object.entries({ base, ...students })) {
    if (isStored(written)) continue;
    const path = resolve(folder, written);
    const found = await locateModel(path);
    if (found.kind === 'other' && found.isAbsent) {
      if (!(await isNamed(written, database))) absent.push({ name, path, written });
    } else refuseOther(`${at(keyOf(name))}${absentText({ name, path })}`, found, 'a model’s folder');
  }
  return absent;
}

const keyOf = (name: string) => (name === 'base' ? [name] : ['students', name]);

/** `base /models/base` */
export const absentText = ({ name, path }: Pick<AbsentModel, 'name' | 'path'>) =>
  `${name === 'base' ? name : `student ${name}`} ${path}`;

export function refuseAbsent(absent: readonly AbsentModel[], at: PlaceOf): void {
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

/** What stages are trained on besides prompts, by stage. */
export interface LaunchData {
  examples: Record<string, NewExample[][]>;
  preferences: Record<string, NewPreference[]>;
}

/** Throws an error that names file and line. */
export async function resolveData(sources: Omit<LaunchSources, 'at'>): Promise<LaunchData> {
  const data: LaunchData = { examples: {}, preferences: {} };
  for (const stage of sources.recipe.stages) {
    if (stage.algorithm === 'sft') data.examples[stage.stage] = await examplesOf(stage.data, sources);
    if (stage.algorithm === 'reward-model')
      data.preferences[stage.stage] = await preferencesOf(stage.stage, stage.preferences, sources);
  }
  return data;
}

type Stored = Pick<LaunchSources, 'folder' | 'database' | 'objects'>;

async function examplesOf(sources: readonly ExampleSource[], stored: Stored): Promise<NewExample[][]> {
  const sets: NewExample[][] = [];
  for (const source of sources) {
    if (source.source === 'jsonl' || source.source === 'imported')
      sets.push(examplesIn(await linesOf(source, 'examples', stored)));
    if (source.source === 'nano-general') sets.push(generalExamples(source));
  }
  return sets;
}

/** The lines of a file, or of a set imported under a name. */
async function linesOf(
  source: { source: 'jsonl'; path: string } | { source: 'imported'; name: string },
  kind: 'examples' | 'preferences' | 'labels',
  { folder, database, objects }: Stored,
): Promise<LinesText> {
  if (source.source === 'jsonl') return readLinesText(resolve(folder, source.path));
  const { object } = await importedSet(await database(), source.name, kind);
  const bytes = await (await objects()).get(object);
  return { name: source.name, text: new TextDecoder().decode(bytes) };
}

/** Training problems of the general tasks with plain answers. */
function generalExamples({ rows, seed }: { rows: number; seed: number }): NewExample[] {
  return nanoGeneralRows({ train: rows, test: 0, seed }).map(({ problem, answer, domain }, index) => ({
    problem,
    response: plainResponse(answer),
    domain,
    source: `nano-general seed ${seed}`,
    line: index + 1,
  }));
}

async function preferencesOf(
  stage: string,
  source: PreferenceSource,
  stored: Stored,
): Promise<NewPreference[]> {
  const kind = objectiveOf(stage) === 'pairwise' ? 'pair' : 'label';
  if (source.source === 'jsonl' || source.source === 'imported') {
    const lines = await linesOf(source, kind === 'pair' ? 'preferences' : 'labels', stored);
    return preferencesIn(lines, kind, source.held_out);
  }
  const rows = kind === 'pair' ? nanoPreferencePairs(source) : nanoSafetyLabels(source);
  return rows.map(
    (row, index) => ({ kind, ...row, source: `nano seed ${source.seed}`, line: index + 1 }) as NewPreference,
  );
}

/** As in the paper: helpfulness is trained on pairs, safety on labels of single responses. */
export const objectiveOf = (stage: string) =>
  stage === 'reward-model/safety' ? ('pointwise' as const) : ('pairwise' as const);
