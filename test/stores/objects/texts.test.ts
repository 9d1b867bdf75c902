import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextLocation } from '../../../contracts/datasets.ts';
import { createByteCache } from '../../../stores/objects/byte-cache.ts';
import { packTexts, putTexts, readTexts } from '../../../stores/objects/texts.ts';
import { memoryObjects } from '../../activities/memory-objects.ts';
import { failure } from '../helpers.ts';

async function stored(texts: readonly string[]) {
  const objects = memoryObjects();
  const packed = packTexts(texts);
  const object = await putTexts(objects, packed);
  return { objects, places: packed.locations.map((location): TextLocation => ({ object, ...location })) };
}

test('texts of any script come back in the order asked for, each as often as asked', async () => {
  const texts = ['', 'größer', '我们', 'a\0b', '😀'];
  const { objects, places } = await stored(texts);
  const order = [4, 0, 2, 2, 1, 3];
  const asked = order.map((index) => places[index] ?? assert.fail());
  assert.deepEqual(
    await readTexts(objects, asked),
    order.map((index) => texts[index]),
  );
});

test('half a character is kept as U+FFFD, so that bytes and text agree', async () => {
  const { objects, places } = await stored(['\ud800x']);
  assert.deepEqual(await readTexts(objects, places), ['\ufffdx']);
});

test('a few texts of a large object are read by range, many with the whole, and both are checked', async () => {
  const { objects, places } = await stored(Array.from({ length: 100 }, (_, n) => `${n} `.repeat(10_000)));
  let whole = 0;
  const counting = {
    ...objects,
    get(reference: TextLocation['object']) {
      whole++;
      return objects.get(reference);
    },
  };
  const location = places[70] ?? assert.fail();
  const two = [location, places[3] ?? assert.fail()];
  assert.deepEqual(
    (await readTexts(counting, two)).map((text) => text.slice(0, 3)),
    ['70 ', '3 3'],
  );
  assert.equal(whole, 0);
  await assert.rejects(
    readTexts(counting, [{ ...location, sha256: 'ab'.repeat(32) }]),
    failure('CorruptObject', 'expected a text with sha256 abab', `at byte ${location.offset}`),
  );
  assert.equal((await readTexts(counting, places)).length, 100);
  await readTexts(counting, two);
  assert.equal(whole, 1);
});

test('a cache holds no more than its limit, and drops first what was not asked for longest', async () => {
  const cache = createByteCache(10);
  let loads = 0;
  const get = (key: string, length: number) =>
    cache.get(key, async () => {
      loads++;
      return new Uint8Array(length);
    });
  await get('a', 4);
  await get('b', 4);
  await get('a', 4);
  await get('c', 4);
  assert.deepEqual([cache.has('a'), cache.has('b'), cache.has('c'), loads], [true, false, true, 3]);
  await Promise.all([get('d', 1), get('d', 1)]);
  assert.equal(loads, 4);
  await get('e', 11);
  assert.equal(cache.has('e'), false);
});

test('a load that fails is not kept', async () => {
  const cache = createByteCache(10);
  const fail = () => Promise.reject(new Error('gone'));
  await assert.rejects(cache.get('a', fail), /gone/);
  assert.equal((await cache.get('a', async () => new Uint8Array(2))).length, 2);
});
