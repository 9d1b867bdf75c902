/** Reads files of a model's folder; only regular files inside of the folder are accepted. */
import { constants, type FileHandle, open, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { foundOf } from '../../contracts/file-errors.ts';
import { WeightsError } from './safetensors.ts';

/** Thrown where a path is not a readable file; names it. */
class ModelFileError extends Error {
  override name = 'ModelFileError';
}

/** Limit of a file that is read whole: a tokenizer of a million tokens has a tenth of it. */
const MOST_BYTES = 2 ** 28;

/** An open file and its size; undefined where there is none. Throws ModelFileError. */
export async function openModelFile(
  path: string,
): Promise<{ handle: FileHandle; bytes: number } | undefined> {
  // Non-blocking: opening a pipe would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(unlessAbsent(path));
  if (handle === undefined) return undefined;
  const found = await handle.stat();
  if (found.isFile()) return { handle, bytes: found.size };
  await handle.close();
  throw new ModelFileError(
    `${path}: expected a file, found ${found.isDirectory() ? 'a folder' : 'a pipe or a device'}. Fetch or copy the model again.`,
  );
}

/** The contents of a file; undefined where there is none. Throws ModelFileError. */
export async function readModelFile(path: string): Promise<Uint8Array | undefined> {
  const file = await openModelFile(path);
  if (file === undefined) return undefined;
  try {
    if (file.bytes > MOST_BYTES)
      throw new ModelFileError(
        `${path}: expected at most ${MOST_BYTES} bytes, found ${file.bytes}. Check the file.`,
      );
    return await file.handle.readFile();
  } finally {
    await file.handle.close();
  }
}

const unlessAbsent = (path: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') return undefined;
  throw new ModelFileError(
    `${path}: expected a file, found ${foundOf(error)}. Fetch or copy the model again.`,
    {
      cause: error,
    },
  );
};

/**
 * Throws `WeightsError` where a file of a model's folder is a symbolic link to a file outside of it, which would be
 * copied into checkpoints and exports. Links into the `blobs` of Hugging Face's cache, beside the snapshots, are
 * accepted.
 */
export async function refuseLinksOutside(folder: string): Promise<void> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) return;
  const roots = basename(dirname(root)) === 'snapshots' ? [root, join(root, '../../blobs')] : [root];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const path = join(folder, entry.name);
    const target = await realpath(path).catch(() => undefined);
    if (target === undefined || roots.some((each) => target.startsWith(each + sep))) continue;
    throw new WeightsError(
      `${path}: expected a file of the folder, found a symbolic link to ${target}, which is outside. Copy the file into the folder, ` +
        'or remove the link.',
    );
  }
}
