import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { link, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Reference } from '../../../contracts/reference.ts';
import { temporaryCache } from '../../activities/memory-objects.ts';

/** Objects of 100 bytes, and how often each was read. */
function objects(count: number) {
  const contents = Array.from({ length: count }, (_, n) => new Uint8Array(100).fill(n));
  const references = contents.map(
    (bytes, n): Reference => ({
      uri: `s3://bucket/${n}`,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    }),
  );
  const reads = new Array<number>(count).fill(0);
  const store = {
    async *stream({ uri }: Reference) {
      const n = Number(uri.split('/').at(-1));
      reads[n] = (reads[n] ?? 0) + 1;
      yield contents[n] ?? new Uint8Array();
    },
  };
  return { references, reads, store };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

test('a file is fetched once, and the least recently used goes first', async () => {
  const { references, reads, store } = objects(3);
  const cache = temporaryCache(250);
  for (const n of [0, 1, 0, 2, 0, 1]) {
    const reference = references[n] ?? assert.fail();
    const bytes = await cache.use(store, reference, (path) => readFile(path));
    assert.deepEqual([...bytes], new Array(100).fill(n));
    await pause();
  }
  assert.deepEqual(reads, [1, 2, 1]);
  assert.equal((await readdir(cache.folder)).length, 2);
});

test('a file in use is never removed, and what is larger than the limit goes after its use', async () => {
  const { references, store } = objects(3);
  const cache = temporaryCache(150);
  const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = references;
  await cache.use(store, first, async (path) => {
    await cache.use(store, second, () => cache.use(store, third, async () => undefined));
    assert.equal((await readFile(path)).length, 100);
  });
  assert.equal((await readdir(cache.folder)).length, 1);
});

test('the name of a process that has ended keeps nothing, and a file that was cut short is fetched again', async () => {
  const { references, reads, store } = objects(2);
  const cache = temporaryCache(150);
  const [first = assert.fail(), second = assert.fail()] = references;
  await cache.use(store, first, async () => undefined);
  const [name = ''] = await readdir(cache.folder);
  await link(join(cache.folder, name), join(cache.folder, `${name}.4194305.abcd.in-use`));
  await cache.use(store, second, async () => undefined);
  await cache.use(store, second, async () => undefined);
  const [kept = '', ...others] = await readdir(cache.folder);
  assert.deepEqual([kept.slice(0, 64), others], [second.sha256, []]);
  await writeFile(join(cache.folder, kept), 'short');
  assert.equal((await cache.use(store, second, (path) => readFile(path))).length, 100);
  assert.deepEqual(reads, [1, 2]);
});
