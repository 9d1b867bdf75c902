/** What the name of a model leads to, found before anything is read. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { foundOf } from '../../contracts/file-errors.ts';
import { nameSchema } from '../../contracts/reference.ts';
import { stageNameSchema, stageRoles } from '../../contracts/stage-name.ts';
import { InputError } from '../errors.ts';
import { editDistance } from '../suggestion.ts';

/** The supported models. */
export const WHAT_IS_READ =
  'What is read: the folder of a Llama, Qwen2 or Qwen3 model in Hugging Face layout (config.json, tokenizer.json, *.safetensors)';

type ModelLocation =
  | { kind: 'folder' }
  /** a GGUF file, which only `r1 model add` reads */
  | { kind: 'gguf' }
  /** a checkpoint of a run: by name, or by the URI of its manifest */
  | { kind: 'checkpoint' }
  /** not found; the name has the form of a Hugging Face Hub repository */
  | { kind: 'hub'; repository: string }
  /** anything else, with its description */
  | { kind: 'other'; found: string; hint: string; isAbsent: boolean };

/** Finds what a name leads to. A run's name is never a path; a folder with a model takes precedence over a run. */
export async function locateModel(name: string): Promise<ModelLocation> {
  if (name.trim() === '')
    return { kind: 'other', found: 'nothing', hint: `${WHAT_IS_READ}.`, isAbsent: false };
  if (name.startsWith('s3://')) return { kind: 'checkpoint' };
  const repository = hubRepository(name);
  const isPath = /^\.{0,2}\//.test(name) || name === '.' || name === '..';
  const found = await stat(name).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) return absent(name, found, { isPath, repository });
  if (found.isFile() && extname(name).toLowerCase() === '.gguf') return { kind: 'gguf' };
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

/** Throws InputError where the name leads to neither a folder nor a checkpoint; `what` is what was expected. */
export function refuseOther(
  name: string,
  location: ModelLocation,
  what = 'a model’s folder or a run’s checkpoint',
): void {
  if (location.kind === 'hub')
    throw new InputError(`${name}: expected ${what}, found ${hubText(location.repository)}`);
  if (location.kind === 'gguf')
    throw new InputError(
      `${name}: expected ${what}, found a GGUF file. Add it under a name (r1 model add FILE.gguf), and use the name.`,
    );
  if (location.kind === 'other')
    throw new InputError(
      `${name || '(no name)'}: expected ${what}, found ${location.found}. ${location.hint}`,
    );
}

/** Commands that read models fetch nothing: says how to fetch a repository. */
const hubText = (repository: string) =>
  `the name of a repository, which is not fetched here. Fetch it from the Hugging Face Hub: ${fetchCommand(repository)}; ` +
  `then name models/${basename(repository)}. ${WHAT_IS_READ}.`;

export const fetchCommand = (repository: string, folder = `models/${basename(repository)}`) =>
  `hf download ${repository} --local-dir ${folder}`;

/** `ORGANISATION/MODEL` from a name or an address; null where it has another form. */
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

/** A misspelt stage is not the name of a repository. */
const isMisspelt = (stage: string) => stageRoles.some((role) => editDistance(stage, role) <= 2);

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A folder without config.json may contain the model elsewhere or in another form. */
async function folderFound(folder: string): Promise<ModelLocation> {
  if (await isThere(join(folder, 'config.json'))) return { kind: 'folder' };
  const names = await readdir(folder).catch(() => []);
  const hint = FOLDER_HINTS.find(({ of }) => names.some((name) => of.test(name)));
  // The reader of the model says what is missing.
  if (hint === undefined) return { kind: 'folder' };
  const next = `${hint.next} ${WHAT_IS_READ}.`;
  return { kind: 'other', found: `one with ${hint.found}`, hint: next, isAbsent: false };
}

const FOLDER_HINTS = [
  {
    of: /\.gguf$/i,
    found: 'GGUF files',
    next: 'Add one under a name (r1 model add FILE.gguf), and use the name.',
  },
  {
    of: /^adapter_config\.json$/,
    found: 'an adapter (LoRA) without its base',
    next: 'Merge it into its base (merge_and_unload of peft) and save that.',
  },
  {
    of: /^snapshots$/,
    found: 'the Hub’s cache of a repository',
    next: 'Name the folder under snapshots/ with the files.',
  },
  {
    of: /^models?--/,
    found: 'the Hub’s cache',
    next: 'Name the folder under models--…/snapshots/ with the files.',
  },
];

/** A file where a folder is expected. */
function fileFound(path: string, isFile: boolean): { found: string; hint: string } {
  if (!isFile) return { found: 'neither a folder nor a file', hint: 'Check the path.' };
  return { found: 'a file', hint: `Name its folder: ${dirname(path)}. ${WHAT_IS_READ}.` };
}
