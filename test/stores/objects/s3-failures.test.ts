import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { withStack } from '../../helpers/stack.ts';
import { failure } from '../helpers.ts';
import { answering, bytesOf, openStore, storeOf } from '../object-helpers.ts';

test('a missing bucket is reported with the setting to correct', async (t) => {
  const { s3 } = await withStack(t);
  const endpoint = await answering(t, (_, response) => {
    response.writeHead(404).end('<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>');
  });
  const store = openStore(t, { ...s3, endpoint, bucket: 'nowhere' });
  const expected = failure('InvalidInput', endpoint, 'bucket nowhere', 'R1_S3_BUCKET');
  await assert.rejects(store.put('a', bytesOf('x')), expected);
  await assert.rejects(store.getByUri('s3://nowhere/a'), expected);
});

test('refused credentials name endpoint and setting, and show no key', async (t) => {
  const { settings } = await storeOf(t);
  const wrong = [
    { ...settings, secretAccessKey: 'hunter2hunter2' },
    { ...settings, accessKeyId: 'hunter2hunter2' },
  ];
  for (const changed of wrong) {
    const error = await openStore(t, changed)
      .put('a', bytesOf('x'))
      .catch((e: unknown) => e);
    failure(
      'InvalidInput',
      settings.endpoint,
      settings.bucket,
      /R1_S3_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)/,
    )(error);
    const shown = inspect(error, { depth: 8, showHidden: true });
    for (const secret of ['hunter2', settings.secretAccessKey]) assert.ok(!shown.includes(secret));
  }
});

test('a server that is not there, is busy or hangs up can be tried again', async (t) => {
  const { s3 } = await withStack(t);
  const busy = await answering(t, (_, response) =>
    response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>'),
  );
  const hangsUp = await answering(t, (incoming) => incoming.socket.destroy());
  const cutsOff = await answering(t, (_, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('half');
    setTimeout(() => response.destroy(), 20);
  });
  for (const endpoint of ['http://127.0.0.1:1', busy, hangsUp, cutsOff]) {
    const { get } = openStore(t, { ...s3, endpoint });
    const reference = { uri: `s3://${s3.bucket}/a`, sha256: '0'.repeat(64), bytes: 1 };
    await assert.rejects(get(reference), failure('Unavailable', endpoint, s3.bucket));
  }
});
