import type { Reference } from '../../contracts/reference.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import type { Manifest } from '../../contracts/training.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import { type ByteSource, memorySource, withFileSource } from '../../stores/objects/byte-source.ts';
import { keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';

/** The weights are files, or a file in memory among the others. */
type ImportedModel = Pick<ModelFolder, 'digest' | 'files'> & Partial<Pick<ModelFolder, 'weights'>>;

/**
 * Writes a model into the object store as a checkpoint without a stage: every file under the digest of the weights, the
 * manifest last (rule 4). Importing it again writes nothing new.
 */
export async function importBase(
  { objects }: { objects: ObjectStore },
  { digest, files, weights = [] }: ImportedModel,
): Promise<CommittedCheckpoint> {
  // Models with equal weights may have different files (a template, a card): each file is stored under its own digest.
  const put = (name: string, source: ByteSource) =>
    objects.putSource((sha256) => keys.modelFile(digest, `${sha256.slice(0, 16)}/${name}`), source);
  const stored: Record<string, Reference> = {};
  for (const [name, bytes] of files) stored[name] = await put(name, memorySource(bytes));
  for (const { name, use } of weights)
    stored[name] = await use((path) => withFileSource(path, (source) => put(name, source)));
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
  return { step: 0, manifest: await put('manifest.json', memorySource(text)), digests };
}
