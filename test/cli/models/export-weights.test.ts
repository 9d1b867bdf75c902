import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkpointObjects, readManifest } from '../../../activities/checkpoints/checkpoint-files.ts';
import { exportWeights } from '../../../cli/models/export-weights.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import { decodeSafetensors } from '../../../contracts/format/safetensors.ts';
import { narrowed } from '../../../engine/weights/convert.ts';
import { digestTensors } from '../../../engine/weights/digest.ts';
import { memoryObjects } from '../../activities/memory-objects.ts';
import { importPublishedPolicy, importTinyPolicy, publishedTensors } from '../../activities/tiny-policy.ts';

async function stored(t: TestContext, importPolicy: typeof importTinyPolicy) {
  const folder = await mkdtemp(join(tmpdir(), 'r1-export-'));
  t.after(() => rm(folder, { recursive: true }));
  const objects = memoryObjects();
  const { manifest } = await importPolicy(objects);
  const { files, digests } = await readManifest(objects, manifest);
  const { weights, index } = await checkpointObjects(objects, { files }, manifest.uri);
  const text = index && (await objects.get(index));
  return {
    folder,
    objects,
    from: { objects, weights, index: text, digest: digests.weights, uri: manifest.uri },
  };
}

const tensorsIn = async (folder: string, names: readonly string[]) => {
  const files = names.filter((name) => name.endsWith('.safetensors'));
  const read = await Promise.all(files.map((name) => readFile(join(folder, name))));
  return new Map<string, Tensor>(read.flatMap((bytes) => [...decodeSafetensors(bytes).tensors]));
};

test('weights are exported as they are stored, byte for byte', async (t) => {
  const { folder, from, objects } = await stored(t, importPublishedPolicy);
  const written = await exportWeights(from, folder, null);
  assert.deepEqual([written.digest, written.dtype, written.files.length], [from.digest, 'BF16', 3]);
  for (const [name, file] of from.weights)
    assert.deepEqual(await readFile(join(folder, name)), Buffer.from(await objects.get(file)), name);
});

test('a base in bfloat16 is exported in float32 and back again to the same digest', async (t) => {
  const { folder, from } = await stored(t, importPublishedPolicy);
  const wide = await exportWeights(from, folder, 'F32');
  const widened = await tensorsIn(folder, wide.files);
  for (const [name, { data, shape }] of publishedTensors()) {
    const bits = Uint32Array.from(data, (each) => each << 16);
    assert.deepEqual(widened.get(name), { dtype: 'F32', shape, data: new Float32Array(bits.buffer) }, name);
  }
  assert.equal(wide.digest, digestTensors(widened));
  const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8'));
  assert.equal(
    index.metadata.total_size,
    [...widened.values()].reduce((sum, { data }) => sum + data.byteLength, 0),
  );
  assert.equal((await exportWeights(from, folder, 'BF16')).digest, from.digest);
});

test('float32 is rounded to the nearest bfloat16, ties to even', async (t) => {
  const numbers = [1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -1 - 2 ** -8, 0, -0, 2 ** -133];
  assert.deepEqual(
    [...narrowed(Float32Array.from(numbers))],
    [0x3f80, 0x3f80, 0x3f82, 0x3f81, 0xbf80, 0, 0x8000, 0x0001],
  );
  const { folder, from } = await stored(t, importTinyPolicy);
  const written = await exportWeights(from, folder, 'BF16');
  assert.deepEqual([written.dtype, written.files], ['BF16', ['model.safetensors']]);
  assert.equal(written.digest, digestTensors(await tensorsIn(folder, written.files)));
});

test('a damaged object is not exported', async (t) => {
  const { folder, from, objects } = await stored(t, importTinyPolicy);
  const [[, { uri }] = assert.fail()] = from.weights;
  const bytes = objects.stored.get(uri) ?? assert.fail();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  for (const dtype of [null, 'BF16'] as const)
    await assert.rejects(exportWeights(from, folder, dtype), { name: 'CorruptObject' });
});
