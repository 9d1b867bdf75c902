import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../contracts/format/safetensors.ts';

const all = new Map<string, Tensor>([
  ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['weights', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(0.1, -0, Number.NaN, 3e38) }],
  ['ints', { dtype: 'I32', shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
  ['seeds', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-(2n ** 63n)) }],
  ['brain', { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3f80) }],
  ['half', { dtype: 'F16', shape: [1, 1, 1], data: Uint16Array.of(0x3c00) }],
  ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array() }],
  ['scalar', { dtype: 'F32', shape: [], data: Float32Array.of(7) }],
]);

/** A file from its header's text and the number of data bytes after it. */
function file(header: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (dtype: string, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });
const refusal = (header: object, dataBytes: number) => () =>
  decodeSafetensors(file(JSON.stringify(header), dataBytes), 'x.safetensors');

test('every dtype is decoded bit for bit, with its shape and the metadata', () => {
  const { tensors, metadata } = decodeSafetensors(encodeSafetensors(all, { record: '{"é":1}' }));
  assert.deepEqual(metadata, { record: '{"é":1}' });
  assert.deepEqual([...tensors.keys()].sort(), [...all.keys()].sort());
  for (const [name, tensor] of all) assert.deepStrictEqual(tensors.get(name), tensor, name);
});

test('the file equals the one that the reference implementation writes', () => {
  const tensors = new Map<string, Tensor>([
    ['b', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }],
    ['a', { dtype: 'I32', shape: [1], data: Int32Array.of(2) }],
    ['c', { dtype: 'F32', shape: [1], data: Float32Array.of(3) }],
  ]);
  const header =
    '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
    '"c":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const expected = file(padded, 12);
  new DataView(expected.buffer).setFloat32(8 + padded.length, 1, true);
  new DataView(expected.buffer).setFloat32(12 + padded.length, 3, true);
  new DataView(expected.buffer).setInt32(16 + padded.length, 2, true);
  assert.deepEqual(Buffer.from(encodeSafetensors(tensors, { format: 'pt' })), Buffer.from(expected));
});

test('the order in which tensors and metadata are given does not change a bit', () => {
  const reversed = new Map([...all].reverse());
  assert.deepEqual(
    encodeSafetensors(all, { a: '1', b: '2' }),
    encodeSafetensors(reversed, { b: '2', a: '1' }),
  );
});

test('tensors of an aligned file are views, those of a shifted one copies with the same bits', () => {
  const bytes = encodeSafetensors(all);
  const weights = decodeSafetensors(bytes).tensors.get('weights');
  assert.equal(weights?.data.buffer, bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  assert.deepStrictEqual(decodeSafetensors(shifted.subarray(1)).tensors.get('seeds'), all.get('seeds'));
});

test('a file is decoded at any offset of a shared buffer', () => {
  const bytes = encodeSafetensors(all);
  for (let at = 1; at <= 8; at++) {
    const pool = Buffer.alloc(bytes.length + 16, 0xff);
    pool.set(bytes, at);
    const { tensors } = decodeSafetensors(pool.subarray(at, at + bytes.length));
    for (const [name, tensor] of all) assert.deepStrictEqual(tensors.get(name), tensor, `${name} at ${at}`);
  }
});

test('a file truncated at any byte is rejected', () => {
  const bytes = encodeSafetensors(all, { record: '{}' });
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeSafetensors(bytes.subarray(0, length)), Error, `cut at ${length}`);
  }
});

test('an overlap, a gap and a tail are rejected with the name and what was expected', () => {
  const overlap = { a: entry('F32', [2], [0, 8]), b: entry('F32', [2], [4, 12]) };
  assert.throws(
    refusal(overlap, 12),
    /x\.safetensors: tensor "b" overlaps another: expected it to begin at byte 8 of the data, found 4/,
  );
  const gap = { a: entry('F32', [1], [4, 8]) };
  assert.throws(
    refusal(gap, 8),
    /tensor "a" leaves a gap: expected it to begin at byte 0 of the data, found 4/,
  );
  assert.throws(
    refusal({ a: entry('U8', [2], [0, 2]) }, 3),
    /expected 2 bytes of data after the header, found 3/,
  );
  assert.throws(
    refusal({ a: entry('U8', [4], [0, 4]) }, 3),
    /truncated within tensor "a": expected 4 bytes of data, found 3/,
  );
});

test('an unknown dtype, an invalid shape and offsets that do not fit are rejected with the name', () => {
  assert.throws(
    refusal({ a: entry('C64', [1], [0, 8]) }, 8),
    /tensor "a": expected a dtype of .*, found "C64"/,
  );
  assert.throws(refusal({ a: entry('toString', [1], [0, 8]) }, 8), /tensor "a": expected a dtype/);
  assert.throws(
    refusal({ a: entry('F32', [-1], [0, 4]) }, 4),
    /tensor "a": expected a shape of whole numbers, found \[-1\]/,
  );
  assert.throws(
    refusal({ a: entry('F32', [2], [0, 4]) }, 4),
    /tensor "a" of F32\[2\]: expected 8 bytes, found data_offsets of 4/,
  );
  assert.throws(
    refusal({ a: entry('F32', [1], [0]) }, 4),
    /tensor "a": expected data_offsets \[begin, end\], found \[0\]/,
  );
  assert.throws(refusal({ a: 3 }, 0), /tensor "a": expected dtype, shape and data_offsets, found 3/);
});

test('a header that is not a JSON object, or longer than the file, is rejected', () => {
  assert.throws(() => decodeSafetensors(file('[]', 0)), /header: expected a JSON object, found \[\]/);
  assert.throws(() => decodeSafetensors(file('{"a":', 0)), /header: expected JSON in UTF-8/);
  assert.throws(() => decodeSafetensors(file('\uFEFF{}', 0)), /header: expected JSON in UTF-8/);
  assert.throws(
    refusal({ __metadata__: { a: 1 } }, 0),
    /expected __metadata__ to map names to strings, found \{"a":1\}/,
  );
  const long = file('{}', 0);
  new DataView(long.buffer).setBigUint64(0, 2n ** 62n, true);
  assert.throws(
    () => decodeSafetensors(long),
    /expected a header of at most 2 bytes, found 4611686018427388000/,
  );
});

test('data that do not match their shape are not written', () => {
  const wrong = new Map<string, Tensor>([['a', { dtype: 'F32', shape: [3], data: new Float32Array(2) }]]);
  assert.throws(() => encodeSafetensors(wrong), /tensor "a" of F32\[3\]: expected 3 elements, found 2/);
});
