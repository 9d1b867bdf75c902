import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { WeightsError } from './safetensors.ts';

/**
 * Throws `WeightsError` where a file of a model's folder is a symbolic link that leads out of it: what it leads to
 * would be copied into checkpoints and exports. Hugging Face's cache keeps a snapshot's files in `blobs` beside the
 * snapshots, which is no way out.
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
      `${path}: expected a file of the folder, found a symbolic link to ${target}, which lies outside. Copy the file there, ` +
        'or remove the link.',
    );
  }
}
