import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ObjectStoreSettings } from '../../../stores/objects/bucket-client.ts';
import { withStack } from '../../helpers/stack.ts';
import { failure } from '../helpers.ts';
import { answering, bytesOf, openStore, sha256Of, storeOf } from '../object-helpers.ts';

/** A client past all of the store's care. */
function rawClient(t: TestContext, settings: ObjectStoreSettings): S3Client {
  const { accessKeyId, secretAccessKey, bucket: _bucket, ...rest } = settings;
  const client = new S3Client({ ...rest, credentials: { accessKeyId, secretAccessKey } });
  t.after(() => client.destroy());
  return client;
}

test('what was put is got, by reference and by address', async (t) => {
  const { store, settings } = await storeOf(t);
  const bytes = bytesOf('a batch');
  const reference = await store.put('runs/calm/zero/b0/x-1.safetensors', bytes);
  const uri = `s3://${settings.bucket}/runs/calm/zero/b0/x-1.safetensors`;
  assert.deepEqual(reference, { uri, sha256: sha256Of(bytes), bytes: 7 });
  assert.deepEqual(await store.get(reference), bytes);
  assert.deepEqual(await store.getByUri(uri), { reference, bytes });
  assert.deepEqual(await store.get(await store.put('empty', new Uint8Array())), new Uint8Array());
});

test('a range is read by itself; one that the object does not have is refused', async (t) => {
  const { store } = await storeOf(t);
  const reference = await store.put('texts/a', bytesOf('one two three'));
  assert.deepEqual(await store.getRange(reference, 4, 3), bytesOf('two'));
  assert.deepEqual(await store.getRange(reference, 13, 0), new Uint8Array());
  await assert.rejects(store.getRange(reference, 8, 9), failure('CorruptObject', 'bytes 8 to 16', 'found 5'));
  await assert.rejects(store.getRange(reference, 20, 2), failure('CorruptObject', 'shorter'));
  const gone = { ...reference, uri: `${reference.uri}-gone` };
  await assert.rejects(store.getRange(gone, 0, 1), failure('CorruptObject', 'found none'));
});

test('a key may be made of the content’s digest', async (t) => {
  const { store } = await storeOf(t);
  const { uri, sha256 } = await store.put((digest) => `objects/${digest}`, bytesOf('a'));
  assert.ok(uri.endsWith(`/objects/${sha256}`));
});

test('of 20 puts of different bytes at once one wins, and the others show both contents', async (t) => {
  const { store } = await storeOf(t);
  const contents = Array.from({ length: 20 }, (_, n) => bytesOf(`writer ${n}`));
  const results = await Promise.allSettled(contents.map((bytes) => store.put('contested', bytes)));
  const [winner, ...others] = results.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  assert.deepEqual(others, []);
  assert.equal(sha256Of((await store.getByUri(winner?.uri ?? '')).bytes), winner?.sha256);
  for (const result of results) {
    if (result.status === 'rejected')
      failure('Contradiction', winner?.sha256 ?? '', 'contested')(result.reason);
  }
});

test('puts of equal bytes at once are all answered with one reference', async (t) => {
  const { store } = await storeOf(t);
  const references = await Promise.all(Array.from({ length: 8 }, () => store.put('shared', bytesOf('same'))));
  for (const reference of references) assert.deepEqual(reference, references[0]);
  assert.deepEqual(await store.list(''), [{ key: 'shared', bytes: 4 }]);
});

test('bytes that do not fit their checksum are refused by the server', async (t) => {
  const { settings } = await storeOf(t);
  const ChecksumSHA256 = createHash('sha256').update('other').digest('base64');
  const put = new PutObjectCommand({ Bucket: settings.bucket, Key: 'wrong', Body: 'bytes', ChecksumSHA256 });
  await assert.rejects(rawClient(t, settings).send(put));
  assert.equal(await openStore(t, settings).exists('wrong'), false);
});

test('a flipped byte and a cut object are found when they are read', async (t) => {
  const { store, settings } = await storeOf(t);
  const client = rawClient(t, settings);
  const bytes = randomBytes(1_000);
  const reference = await store.put('weights', bytes);
  const damaged = Uint8Array.from(bytes);
  damaged[500] = (damaged[500] ?? 0) ^ 1;
  for (const found of [damaged, bytes.subarray(0, 999)]) {
    await client.send(new PutObjectCommand({ Bucket: settings.bucket, Key: 'weights', Body: found }));
    const expected = [reference.uri, reference.sha256, sha256Of(found), `found ${found.length} bytes`];
    await assert.rejects(store.get(reference), failure('CorruptObject', ...expected));
    await assert.rejects(
      store.put('weights', bytes),
      failure('Contradiction', reference.sha256, sha256Of(found)),
    );
  }
});

test('an object that is not there is told by its address', async (t) => {
  const { store, settings } = await storeOf(t);
  const missing = { uri: `s3://${settings.bucket}/missing`, sha256: '0'.repeat(64), bytes: 1 };
  await assert.rejects(store.get(missing), failure('CorruptObject', missing.uri, 'found none'));
  assert.equal(await store.exists('missing'), false);
  await assert.rejects(store.getByUri('http://elsewhere/x'), failure('InvalidInput', 's3://bucket/key'));
});

test('keys that another store might read otherwise are refused before anything is sent', async (t) => {
  const { store } = await storeOf(t);
  for (const key of ['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/.', 'a b', 'ä', 'a?b', 'a'.repeat(1025)]) {
    await assert.rejects(store.put(key, bytesOf('x')), failure('InvalidInput', 'object key'), key);
  }
  await store.put('a/..b/c.d-e_F9', bytesOf('x'));
});

test('a list holds all keys under a prefix, in order, beyond one page', async (t) => {
  const { store } = await storeOf(t);
  const keys = Array.from({ length: 1_050 }, (_, n) => `many/${String(n).padStart(4, '0')}`);
  for (let begin = 0; begin < keys.length; begin += 50) {
    await Promise.all(keys.slice(begin, begin + 50).map((key) => store.put(key, bytesOf(key))));
  }
  await store.put('other', bytesOf('x'));
  const found = await store.list('many/');
  assert.deepEqual(
    found.map(({ key }) => key),
    keys,
  );
  assert.equal(found[0]?.bytes, 9);
});

test('a bucket is created once', async (t) => {
  const { s3, id } = await withStack(t);
  const store = openStore(t, { ...s3, bucket: `own-${id}` });
  await Promise.all([store.ensureBucket(), store.ensureBucket()]);
  await store.ensureBucket();
  await store.put('a', bytesOf('x'));
});

test('a put whose answer was lost is found to be written', async (t) => {
  const { settings } = await storeOf(t);
  const { hostname, port } = new URL(settings.endpoint);
  let puts = 0;
  const losesTheFirst = await answering(t, (incoming, response) => {
    const { url: path, method, headers } = incoming;
    const onward = request({ hostname, port, path, method, headers, agent: false }, (answer) => {
      if (method === 'PUT' && ++puts === 1) {
        answer.resume().on('end', () => incoming.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  const store = openStore(t, { ...settings, endpoint: losesTheFirst });
  const reference = await store.put('lost-answer', bytesOf('x'));
  assert.equal(puts, 2);
  assert.deepEqual(await store.get(reference), bytesOf('x'));
});
