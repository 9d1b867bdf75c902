import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { storeOf } from '../stores/object-helpers.ts';
import { measureModelIo } from './model-io/measure.ts';

test('a model larger than the cache goes in and out, and leaves neither its source nor more than the limit', async (t) => {
  const { store } = await storeOf(t);
  const folder = await mkdtemp(join(tmpdir(), 'r1-model-io-'));
  t.after(() => rm(folder, { recursive: true }));
  const size = { folder, bytes: 100e6, fileBytes: 40e6, cacheLimit: 50e6 };
  const figures = await measureModelIo(store, size);
  assert.deepEqual(
    figures.map(({ part }) => part),
    ['import', 'acquire', 'checkpoint', 'export'],
  );
  const weightsIn = async (name: string) =>
    (await readdir(join(folder, name))).filter((file) => file.endsWith('.safetensors'));
  assert.deepEqual(await weightsIn('source'), []);
  assert.equal((await weightsIn('exported')).length, 3);
  assert.equal((await readdir(join(folder, 'cache'))).length, 1);
});
