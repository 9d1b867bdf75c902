import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepSmallObjects } from '../../../stores/objects/small-objects.ts';
import { memoryObjects } from '../../activities/memory-objects.ts';

/** A store of which every read is counted. */
function countedStore() {
  const memory = memoryObjects();
  const reads: string[] = [];
  const store = keepSmallObjects(
    {
      ...memory,
      get(reference) {
        reads.push('get');
        return memory.get(reference);
      },
      getRange(reference, offset, length) {
        reads.push('range');
        return memory.getRange(reference, offset, length);
      },
    },
    { total: 24, largest: 10 },
  );
  return { memory, store, reads };
}
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('a small object that was written is not read', async () => {
  const { store, reads } = countedStore();
  const reference = await store.put('a', bytesOf('small'));
  assert.equal(textOf(await store.get(reference)), 'small');
  assert.equal(textOf(await store.getRange(reference, 1, 3)), 'mal');
  assert.deepEqual(reads, []);
});

test('a small object is read once, whole, also for a part of it', async () => {
  const { memory, store, reads } = countedStore();
  const reference = await memory.put('a', bytesOf('small'));
  assert.equal(textOf(await store.getRange(reference, 1, 3)), 'mal');
  assert.equal(textOf(await store.get(reference)), 'small');
  assert.deepEqual(reads, ['get']);
});

test('a large object is read as it is asked for', async () => {
  const { store, reads } = countedStore();
  const reference = await store.put('a', bytesOf('larger than ten'));
  assert.equal(textOf(await store.getRange(reference, 0, 6)), 'larger');
  assert.equal(textOf(await store.get(reference)), 'larger than ten');
  assert.deepEqual(reads, ['range', 'get']);
});

test('what a caller does with its bytes changes nothing for the next', async () => {
  const { store } = countedStore();
  const written = bytesOf('small');
  const reference = await store.put('a', written);
  written.fill(0);
  (await store.get(reference)).fill(0);
  (await store.getRange(reference, 0, 2)).fill(0);
  assert.equal(textOf(await store.get(reference)), 'small');
});

test('the same key with another checksum is another object', async () => {
  const { store } = countedStore();
  const reference = await store.put('a', bytesOf('small'));
  await assert.rejects(store.get({ ...reference, sha256: '0'.repeat(64) }), /expected sha256 0000/);
});

test('the least recently used objects are dropped beyond the limit', async () => {
  const { store, reads } = countedStore();
  const first = await store.put('a', bytesOf('1234567890'));
  await store.put('b', bytesOf('1234567890'));
  await store.put('c', bytesOf('1234567890'));
  await store.get(first);
  assert.deepEqual(reads, ['get']);
});

test('a part beyond the end is refused as the store refuses it', async () => {
  const { store, reads } = countedStore();
  const reference = await store.put('a', bytesOf('small'));
  await store.getRange(reference, 4, 9);
  assert.deepEqual(reads, ['range']);
});
