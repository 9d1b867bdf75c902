import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { PART_BYTES } from '../../../stores/objects/multipart.ts';
import { failure } from '../helpers.ts';
import { sha256Of, storeOf } from '../object-helpers.ts';

test('a large object is written in parts, once, and its key is then taken', async (t) => {
  const { store } = await storeOf(t);
  const bytes = randomBytes(PART_BYTES + 1_000_003);
  const reference = await store.put('large', bytes);
  assert.equal(sha256Of(await store.get(reference)), sha256Of(bytes));
  assert.deepEqual(await store.put('large', bytes), reference);
  bytes[7] = (bytes[7] ?? 0) ^ 1;
  await assert.rejects(
    store.put('large', bytes),
    failure('Contradiction', reference.sha256, sha256Of(bytes)),
  );
  assert.equal(sha256Of(await store.get(reference)), reference.sha256);
});
