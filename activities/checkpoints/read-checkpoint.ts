import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type ModelFolder,
  type ModelOptions,
  modelOfFiles,
  type SampledModel,
  sampledModelOf,
  type WeightsFile,
} from '../../engine/weights/model-folder.ts';
import { INDEX_FILE } from '../../engine/weights/weights.ts';
import type { FileCache } from '../../stores/objects/file-cache.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { checkpointObjects, fetchFiles, readManifest } from './checkpoint-files.ts';

/** Where checkpoints are, and the local files of what was read from there. */
export interface CheckpointStores {
  objects: ObjectStore;
  cache: FileCache;
}

/**
 * Reads a checkpoint's whole model through the local cache. Checks every object's checksum, the tensors against the
 * configuration, and the weights' digest against the manifest (rule 11).
 * Throws Failure 'CorruptObject' or 'OutOfSpace', WeightsError, ModelConfigError or TokenizerError.
 */
export async function readCheckpoint(
  { objects, cache }: CheckpointStores,
  reference: Reference,
  options: ModelOptions = {},
): Promise<ModelFolder> {
  const manifest = await readManifest(objects, reference);
  const { weights, companions, index } = await checkpointObjects(objects, manifest, reference.uri);
  const small = index === null ? companions : { ...companions, [INDEX_FILE]: index };
  const files = new Map(Object.entries(await fetchFiles(objects, { files: small })));
  const cached = weights.map(([name, file]) => cachedFile({ objects, cache }, name, file));
  const model = await modelOfFiles({ files, weights: cached, source: reference.uri }, options);
  if (model.digest === manifest.digests.weights) return model;
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected weights with digest ${manifest.digests.weights}, found ${model.digest}; ` +
      'restore the objects or use another checkpoint',
  );
}

const cachedFile = ({ objects, cache }: CheckpointStores, name: string, file: Reference): WeightsFile => ({
  name,
  bytes: file.bytes,
  use: (work) => cache.use(objects, file, work),
});

/** The same without its weights, for sampling by another worker, which checks them. Of any architecture. */
export async function readSampledModel(
  { objects }: { objects: ObjectStore },
  reference: Reference,
): Promise<SampledModel> {
  const manifest = await readManifest(objects, reference);
  const { companions } = await checkpointObjects(objects, manifest, reference.uri);
  const fetched = await fetchFiles(objects, { files: companions });
  return sampledModelOf(new Map(Object.entries(fetched)), manifest.digests.weights, reference.uri);
}
