/** Writes a checkpoint's weights into a folder, file by file, in the dtype that is asked for. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../contracts/failures.ts';
import { DTYPES, type Dtype, ELEMENTS, elementsOf } from '../../contracts/format/dtypes.ts';
import type { Reference } from '../../contracts/reference.ts';
import { type ConvertedDtype, convertedFile } from '../../engine/weights/convert.ts';
import { dtypeOf, readStoredWeights } from '../../engine/weights/model-folder.ts';
import {
  digestOfSummaries,
  type StoredTensorSummaries,
  type StoredTensorSummary,
} from '../../engine/weights/stored-tensors.ts';
import { INDEX_FILE } from '../../engine/weights/weights.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { getToFile, writeStream } from '../../stores/objects/stream.ts';

/** transformers' names of the dtypes that can be asked for. */
export const EXPORT_DTYPES = { float32: 'F32', bfloat16: 'BF16' } as const satisfies Record<
  string,
  ConvertedDtype
>;

interface StoredCheckpoint {
  objects: ObjectStore;
  weights: readonly [name: string, file: Reference][];
  index: Uint8Array | null;
  /** of the weights, by the manifest */
  digest: string;
  /** names the checkpoint in errors */
  uri: string;
}

interface WrittenWeights {
  digest: string;
  dtype: Dtype;
  files: string[];
  bytes: number;
}

/**
 * Streams the weights from the object store; `dtype` null: as they are stored. What was written is read again: its digest
 * must be the manifest's, or is that of the converted weights. Throws Failure 'CorruptObject' or 'OutOfSpace', WeightsError.
 */
export async function exportWeights(
  { objects, weights, index, digest: expected, uri }: StoredCheckpoint,
  folder: string,
  dtype: ConvertedDtype | null,
): Promise<WrittenWeights> {
  await mkdir(folder, { recursive: true });
  for (const [name, file] of weights) {
    const path = join(folder, name);
    if (dtype === null) await getToFile(objects, file, path);
    else {
      const pieces = convertedFile(
        objects.stream(file),
        { name: `${uri}: ${name}`, bytes: file.bytes },
        dtype,
      );
      await writeStream(path, pieces, file.bytes);
    }
  }
  const files = weights.map(([name]) => name);
  if (index !== null) {
    await writeFile(join(folder, INDEX_FILE), index);
    files.push(INDEX_FILE);
  }
  const { tensors, weights: written } = await readStoredWeights(folder, DTYPES, () => undefined);
  const digest = digestOfSummaries(tensors);
  if (dtype === null && digest !== expected) {
    throw new Failure(
      'CorruptObject',
      `${uri}: expected weights with digest ${expected}, found ${digest}; restore the objects or use another checkpoint`,
    );
  }
  if (index !== null && dtype !== null) await writeFile(join(folder, INDEX_FILE), withSize(index, tensors));
  const bytes = written.reduce((sum, file) => sum + file.bytes, 0);
  return { digest, dtype: dtypeOf(tensors), files, bytes };
}

/** The index with the size of the converted tensors. */
function withSize(index: Uint8Array, tensors: StoredTensorSummaries): string {
  const document: Record<string, unknown> = JSON.parse(new TextDecoder().decode(index));
  const bytesOf = ({ dtype, shape }: StoredTensorSummary) => elementsOf(shape) * ELEMENTS[dtype].bytes;
  const total = [...tensors.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  return `${JSON.stringify({ ...document, metadata: { total_size: total } }, null, 2)}\n`;
}
