/** Files that a command creates: complete, or not at all. */
import { access, constants, type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { foundOf } from '../../contracts/file-errors.ts';
import { InputError } from '../errors.ts';

/** Throws InputError where the file exists or cannot be written. Called before anything is computed. */
export async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined)
    throw new InputError(`${path}: expected a new file, found one there. Choose another.`);
  const folder = dirname(resolve(path));
  await access(folder, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      `${path}: expected a folder that can be written (${folder}), found ${foundOf(error)}`,
    );
  });
}

/** Writes under a temporary name and renames at the end; a failed file is removed. Throws InputError as above. */
export async function writeNewFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  await refuseExisting(path);
  const partial = `${path}.partial`;
  const file = await open(partial, 'w').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: expected a file that can be written, found ${foundOf(error)}`);
  });
  try {
    await write(file);
    await file.sync();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Characters per write. */
const LINES_AT_ONCE = 1_000_000;

export async function writeLines(
  file: FileHandle,
  rows: AsyncIterable<object> | Iterable<object>,
): Promise<void> {
  let lines = '';
  for await (const row of rows) {
    lines += `${JSON.stringify(row)}\n`;
    if (lines.length < LINES_AT_ONCE) continue;
    await file.writeFile(lines);
    lines = '';
  }
  await file.writeFile(lines);
}

/** Throws InputError where a folder exists and is not empty. */
export async function refuseOccupied(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`${folder}: expected an empty or new folder, found ${foundOf(error)}`);
  });
  if (found.length === 0) return;
  throw new InputError(
    `${folder}: expected an empty or new folder, found one with ${found.slice(0, 3).join(', ')}. Choose another.`,
  );
}
