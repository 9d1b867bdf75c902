import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSafetensors, encodeSafetensors } from '../../../contracts/format/safetensors.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { createObjectStore } from '../../../stores/objects/objects.ts';
import { decodeRecord, encodeRecord, putRecord, type Tensors } from '../../../stores/objects/records.ts';
import { withStack } from '../../helpers/stack.ts';
import { digest, failure, numerics, reference } from '../helpers.ts';

const record = {
  kind: 'rollout' as const,
  version: 2 as const,
  request: reference('request'),
  policy: digest('policy'),
  policyDigest: digest('w0'),
  numerics,
};
const tensors: Tensors = new Map([
  ['completionTokens', { dtype: 'I32', shape: [3], data: Int32Array.of(1, 2, 3) }],
  ['completionLengths', { dtype: 'I32', shape: [2], data: Int32Array.of(2, 1) }],
  ['logprobs', { dtype: 'F32', shape: [3], data: Float32Array.of(-0.5, -1, -2) }],
  ['truncated', { dtype: 'I32', shape: [2], data: Int32Array.of(0, 1) }],
  ['completionTokens.sha256', { dtype: 'U8', shape: [2, 32], data: new Uint8Array(64) }],
  ['logprobs.sha256', { dtype: 'U8', shape: [2, 32], data: new Uint8Array(64) }],
]);

test('a record comes back with its tensors, typed', () => {
  const decoded = decodeRecord(['rollout'], encodeRecord(record, tensors));
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
    () => decodeRecord(['rollout'], encodeRecord(wrong, tensors), 's3://b/k'),
    failure('CorruptObject', 's3://b/k', 'policyDigest', 'extra'),
  );
  assert.throws(
    () => decodeRecord(['rollout'], encodeSafetensors(tensors)),
    failure('CorruptObject', 'record'),
  );
  const notJson = encodeSafetensors(tensors, { record: '{' });
  assert.throws(() => decodeRecord(['rollout'], notJson), failure('CorruptObject', 'as JSON'));
});

test('a cut file and a tensor of another type are corrupt, told by place and name', () => {
  const bytes = encodeRecord(record, tensors);
  const cut = () => decodeRecord(['rollout'], bytes.subarray(0, -1), 's3://b/k');
  assert.throws(cut, failure('CorruptObject', 's3://b/k', 'truncated within tensor'));
  const decoded = decodeRecord(['rollout'], bytes, 's3://b/k');
  assert.throws(
    () => decoded.ints('logprobs'),
    failure('CorruptObject', 'tensor "logprobs" of I32, found one of F32'),
  );
  assert.throws(
    () => decoded.floats('old'),
    failure('CorruptObject', 'expected a tensor "old" of F32, found only'),
  );
});

test('a record of a later version is refused by name', () => {
  const later = encodeRecord({ ...record, version: 3 }, tensors);
  assert.throws(
    () => decodeRecord(['rollout'], later, 's3://b/k'),
    failure('UnknownVersion', 's3://b/k', 'version 1 or 2', 'found version 3'),
  );
  const texts = encodeRecord({ kind: 'texts', rollout: reference('rollout') }, new Map());
  assert.throws(() => decodeRecord(['texts'], texts), failure('UnknownVersion', 'a texts of version 2'));
});

test('tensors that are missing, unknown, of another dtype or shape are corrupt, named', () => {
  const cases: [string, Tensors | null, string[]][] = [
    ['logprobs', null, ['expected a tensor "logprobs" of F32 [T], found none']],
    [
      'extra',
      new Map([['extra', { dtype: 'I32', shape: [0], data: new Int32Array() }]]),
      ['"extra" as well'],
    ],
    [
      'truncated',
      new Map([['truncated', { dtype: 'F32', shape: [2], data: new Float32Array(2) }]]),
      ['"truncated"', 'found F32 [2]'],
    ],
    [
      'logprobs',
      new Map([['logprobs', { dtype: 'F32', shape: [2], data: new Float32Array(2) }]]),
      ['"logprobs"', 'expected 3'],
    ],
    [
      'completionLengths',
      new Map([['completionLengths', { dtype: 'I32', shape: [2], data: Int32Array.of(1, 1) }]]),
      ['sum', 'found 2'],
    ],
    [
      'completionLengths',
      new Map([['completionLengths', { dtype: 'I32', shape: [2], data: Int32Array.of(4, -1) }]]),
      ['negative'],
    ],
    [
      'logprobs.sha256',
      new Map([['logprobs.sha256', { dtype: 'U8', shape: [2, 31], data: new Uint8Array(62) }]]),
      ['expected 32'],
    ],
  ];
  for (const [name, changed, texts] of cases) {
    const other: Tensors = new Map([...tensors].filter(([key]) => key !== name));
    for (const [key, tensor] of changed ?? []) other.set(key, tensor);
    assert.throws(
      () => decodeRecord(['rollout'], encodeRecord(record, other), 's3://b/k'),
      failure('CorruptObject', 's3://b/k', ...texts),
      name,
    );
  }
});

test('a record is written under a key that names its content', async (t) => {
  const { s3 } = await withStack(t);
  const objects = createObjectStore(s3);
  t.after(() => objects.close());
  const key = keys.rollout(reference('runs/calm/zero/b0/rollouts/step-000001/request-x'));
  const written = await putRecord(objects, key, record, tensors);
  const name = `rollout-${written.sha256.slice(0, 16)}.safetensors`;
  assert.equal(written.uri, `s3://${s3.bucket}/runs/calm/zero/b0/rollouts/step-000001/${name}`);
  assert.deepEqual(
    decodeSafetensors(await objects.get(written)).tensors.get('logprobs'),
    tensors.get('logprobs'),
  );
});
