import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSafetensors, encodeSafetensors } from '../../../contracts/format/safetensors.ts';
import { rolloutSchema } from '../../../contracts/records.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { createObjectStore } from '../../../stores/objects/objects.ts';
import { decodeRecord, encodeRecord, putRecord, type Tensors } from '../../../stores/objects/records.ts';
import { withStack } from '../../helpers/stack.ts';
import { digest, failure, numerics, reference } from '../helpers.ts';

const record = {
  kind: 'rollout' as const,
  request: reference('request'),
  policyDigest: digest('w0'),
  numerics,
};
const tensors: Tensors = new Map([
  ['completionTokens', { dtype: 'I32', shape: [3], data: Int32Array.of(1, 2, 3) }],
  ['logprobs', { dtype: 'F32', shape: [3], data: Float32Array.of(-0.5, -1, -2) }],
]);

test('a record comes back with its tensors, typed', () => {
  const decoded = decodeRecord(rolloutSchema, encodeRecord(record, tensors));
  assert.deepEqual(decoded.record, record);
  assert.deepEqual(decoded.ints('completionTokens'), Int32Array.of(1, 2, 3));
  assert.deepEqual(decoded.floats('logprobs'), Float32Array.of(-0.5, -1, -2));
});

test('equal records give equal bytes, in whatever order their fields were made', () => {
  const { kind, request, ...rest } = record;
  const { uri, sha256, bytes } = request;
  const other = { ...rest, request: { bytes, sha256, uri }, kind };
  assert.deepEqual(encodeRecord(other, new Map([...tensors].reverse())), encodeRecord(record, tensors));
});

test('a record that is not its schema’s is corrupt, told by place and field', () => {
  const wrong = { ...record, policyDigest: 'abc', extra: 1 };
  assert.throws(
    () => decodeRecord(rolloutSchema, encodeRecord(wrong, tensors), 's3://b/k'),
    failure('CorruptObject', 's3://b/k', 'policyDigest', 'extra'),
  );
  assert.throws(
    () => decodeRecord(rolloutSchema, encodeSafetensors(tensors)),
    failure('CorruptObject', 'record'),
  );
  const notJson = encodeSafetensors(tensors, { record: '{' });
  assert.throws(() => decodeRecord(rolloutSchema, notJson), failure('CorruptObject', 'as JSON'));
});

test('a cut file and a tensor of another type are corrupt, told by place and name', () => {
  const bytes = encodeRecord(record, tensors);
  const cut = () => decodeRecord(rolloutSchema, bytes.subarray(0, -1), 's3://b/k');
  assert.throws(cut, failure('CorruptObject', 's3://b/k', 'truncated within tensor'));
  const decoded = decodeRecord(rolloutSchema, bytes, 's3://b/k');
  assert.throws(
    () => decoded.ints('logprobs'),
    failure('CorruptObject', 'tensor "logprobs" of I32, found one of F32'),
  );
  assert.throws(
    () => decoded.floats('old'),
    failure('CorruptObject', 'found only logprobs, completionTokens'),
  );
});

test('a record is written under a key that names its content', async (t) => {
  const { s3 } = await withStack(t);
  const objects = createObjectStore(s3);
  t.after(() => objects.close());
  const key = keys.rollout(reference('runs/calm/zero/b0/rollouts/step-000001/request-x'), { term: 3 });
  const written = await putRecord(objects, key, record, tensors);
  const name = `t3-rollout-${written.sha256.slice(0, 16)}.safetensors`;
  assert.equal(written.uri, `s3://${s3.bucket}/runs/calm/zero/b0/rollouts/step-000001/${name}`);
  assert.deepEqual(
    decodeSafetensors(await objects.get(written)).tensors.get('logprobs'),
    tensors.get('logprobs'),
  );
});
