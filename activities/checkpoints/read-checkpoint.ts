import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type ModelFolder,
  type ModelOptions,
  modelOfFiles,
  type SampledModel,
  sampledModelOf,
} from '../../engine/weights/model-folder.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { fetchFiles, readManifest } from './checkpoint-files.ts';

/**
 * Fetches a checkpoint's whole model. Checks every object's checksum, the tensors against the configuration, and the
 * weights' digest against the manifest (rule 11).
 * Throws Failure 'CorruptObject', WeightsError, ModelConfigError or TokenizerError.
 */
export async function readCheckpoint(
  { objects }: { objects: ObjectStore },
  reference: Reference,
  options: ModelOptions = {},
): Promise<ModelFolder> {
  const manifest = await readManifest(objects, reference);
  const files = await fetchFiles(objects, manifest);
  const model = modelOfFiles(new Map(Object.entries(files)), reference.uri, options);
  if (model.digest === manifest.digests.weights) return model;
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected weights with digest ${manifest.digests.weights}, found ${model.digest}; ` +
      'restore the objects or use another checkpoint',
  );
}

/** The same without its weights, for sampling by another worker, which checks them. Of any architecture. */
export async function readSampledModel(
  { objects }: { objects: ObjectStore },
  reference: Reference,
): Promise<SampledModel> {
  const { files, digests } = await readManifest(objects, reference);
  const { [WEIGHTS_FILE]: _, ...companions } = files;
  const fetched = await fetchFiles(objects, { files: companions });
  return sampledModelOf(new Map(Object.entries(fetched)), digests.weights, reference.uri);
}
