/** What a person names as a model, told apart before anything is read; and what is read, for those who name something else. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { foundOf } from '../../contracts/file-errors.ts';
import { nameSchema } from '../../contracts/reference.ts';
import { stageNameSchema, stageRoles } from '../../contracts/stage-name.ts';
import { InputError } from '../errors.ts';
import { editDistance } from '../suggestion.ts';

/** What models are read. */
export const WHAT_IS_READ =
  'What is read: the folder of a Llama model in Hugging Face layout (config.json, tokenizer.json, *.safetensors)';

export type ModelLocation =
  | { kind: 'folder' }
  /** of a run: by its name, or by the URI of its manifest */
  | { kind: 'checkpoint' }
  /** not here; by the form of its name a repository of the Hugging Face Hub */
  | { kind: 'hub'; repository: string }
  /** something that is no model's folder, in words */
  | { kind: 'other'; found: string; hint: string; isAbsent: boolean };

/** What lies under a name. A run's name is never a path, and a folder wins over a run where a model lies in it. */
export async function lookAtModel(name: string): Promise<ModelLocation> {
  if (name.trim() === '')
    return { kind: 'other', found: 'nothing', hint: `${WHAT_IS_READ}.`, isAbsent: false };
  if (name.startsWith('s3://')) return { kind: 'checkpoint' };
  const repository = hubRepository(name);
  const isPath = /^\.{0,2}\//.test(name) || name === '.' || name === '..';
  const found = await stat(name).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) return absent(name, found, { isPath, repository });
  if (!found.isDirectory()) return { kind: 'other', ...fileFound(name, found.isFile()), isAbsent: false };
  if (isPath || (await isThere(join(name, 'config.json')))) return folderFound(name);
  return isCheckpointName(name) ? { kind: 'checkpoint' } : folderFound(name);
}

function absent(
  name: string,
  error: NodeJS.ErrnoException,
  { isPath, repository }: { isPath: boolean; repository: string | null },
): ModelLocation {
  if (repository !== null && !isPath && !isCheckpointName(name)) return { kind: 'hub', repository };
  const isAbsent = error.code === 'ENOENT' || error.code === 'ENOTDIR';
  if (!isPath && isAbsent && !LOOKS_LIKE_FILE.test(name)) return { kind: 'checkpoint' };
  return { kind: 'other', found: foundOf(error), hint: `Check the path. ${WHAT_IS_READ}.`, isAbsent };
}

const LOOKS_LIKE_FILE = /\.(gguf|safetensors|bin|pt|pth|json)$/i;

/** Throws InputError where the name means neither a folder nor a checkpoint; `what` says what it was named as. */
export function refuseOther(
  name: string,
  place: ModelLocation,
  what = 'a model’s folder or a run’s checkpoint',
): void {
  if (place.kind === 'hub')
    throw new InputError(`${name}: expected ${what}, found ${hubText(place.repository)}`);
  if (place.kind === 'other')
    throw new InputError(`${name || '(no name)'}: expected ${what}, found ${place.found}. ${place.hint}`);
}

/** What is said of a repository's name: nothing is fetched by a command that reads models. */
const hubText = (repository: string) =>
  `the name of a repository, which is not fetched here. Fetch it from the Hugging Face Hub: ${fetchCommand(repository)}; ` +
  `then name models/${basename(repository)}. ${WHAT_IS_READ}.`;

export const fetchCommand = (repository: string, folder = `models/${basename(repository)}`) =>
  `hf download ${repository} --local-dir ${folder}`;

/** `ORGANISATION/MODEL` of a name or an address; null where it cannot be one. */
export function hubRepository(name: string): string | null {
  const [, path = name] =
    /^(?:https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/|hf:\/\/)(.*)$/.exec(name) ?? [];
  const [, repository] =
    /^([\w-][\w.-]{0,95}\/[\w-][\w.-]{0,95})(?:\/(?:tree|blob|resolve)\/.*)?\/?$/.exec(path) ?? [];
  return repository ?? null;
}

/** RUN, RUN/STAGE, RUN/STAGE@STEP. */
function isCheckpointName(name: string): boolean {
  const [, run = '', stage] = /^([^/@]+)(?:\/([^@]+))?(?:@\d+)?$/.exec(name) ?? [];
  const isStage = stage === undefined || stageNameSchema.safeParse(stage).success || isMisspelt(stage);
  return nameSchema.safeParse(run).success && isStage;
}

/** A slip of a stage's name is no repository's. */
const isMisspelt = (stage: string) => stageRoles.some((role) => editDistance(stage, role) <= 2);

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A folder without a configuration may hold the model elsewhere, or in another form. */
async function folderFound(folder: string): Promise<ModelLocation> {
  if (await isThere(join(folder, 'config.json'))) return { kind: 'folder' };
  const names = await readdir(folder).catch(() => []);
  const hint = FOLDER_HINTS.find(({ of }) => names.some((name) => of.test(name)));
  // What it lacks is told by who reads it.
  if (hint === undefined) return { kind: 'folder' };
  const next = `${hint.next} ${WHAT_IS_READ}.`;
  return { kind: 'other', found: `one with ${hint.found}`, hint: next, isAbsent: false };
}

const FOLDER_HINTS = [
  {
    of: /\.gguf$/i,
    found: 'GGUF files, which are not read',
    next: 'Fetch the model that they were made from: hf download ORGANISATION/MODEL --local-dir FOLDER.',
  },
  {
    of: /^adapter_config\.json$/,
    found: 'an adapter (LoRA) without its base',
    next: 'Merge it into its base (merge_and_unload of peft) and save that.',
  },
  {
    of: /^snapshots$/,
    found: 'the Hub’s cache of a repository',
    next: 'Name the folder under snapshots/, which holds the files.',
  },
  {
    of: /^models?--/,
    found: 'the Hub’s cache',
    next: 'Name the folder under models--…/snapshots/, which holds the files.',
  },
];

/** A file in place of the folder. */
function fileFound(path: string, isFile: boolean): { found: string; hint: string } {
  if (!isFile) return { found: 'neither a folder nor a file', hint: 'Check the path.' };
  if (extname(path).toLowerCase() === '.gguf')
    return {
      found: 'a GGUF file, which is not read',
      hint: `Fetch the model that it was made from: hf download ORGANISATION/MODEL --local-dir FOLDER. ${WHAT_IS_READ}.`,
    };
  return { found: 'a file', hint: `Name its folder: ${dirname(path)}. ${WHAT_IS_READ}.` };
}
