import type { Reference } from '../../contracts/reference.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import type { Manifest } from '../../contracts/training.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import { keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';

/**
 * Writes a model into the object store as a checkpoint without a stage: every file under the digest of the weights, the
 * manifest last (rule 4). Importing it again writes nothing new.
 */
export async function importBase(
  { objects }: { objects: ObjectStore },
  { digest, files }: Pick<ModelFolder, 'digest' | 'files'>,
): Promise<CommittedCheckpoint> {
  // Models with equal weights may have different files (a template, a card): each file is stored under its own digest.
  const put = (name: string, bytes: Uint8Array) =>
    objects.put((sha256) => keys.modelFile(digest, `${sha256.slice(0, 16)}/${name}`), bytes);
  const stored: Record<string, Reference> = {};
  for (const [name, bytes] of files) stored[name] = await put(name, bytes);
  const digests = { weights: digest, moments: null, reference: null };
  const manifest: Manifest = {
    kind: 'checkpoint',
    lease: null,
    step: 0,
    digests,
    numerics: null,
    files: stored,
    moments: null,
    reference: null,
  };
  const text = new TextEncoder().encode(JSON.stringify(manifest, null, 2));
  return { step: 0, manifest: await put('manifest.json', text), digests };
}
