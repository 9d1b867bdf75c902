import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsSum, fingerprintOfSums, mix64, tensorSum } from '../../../algorithm/run/fingerprint.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';

const ROWS = 6;
const COLUMNS = 5;
const data = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i));
const tensor: Tensor<'F32'> = { dtype: 'F32', shape: [ROWS, COLUMNS], data };
const bits = new Uint32Array(data.buffer);
const whole = tensorSum(tensor);
const element = (index: number) => [BigInt(index), BigInt(bits[index] ?? 0)] as const;
const indices = Array.from(bits, (_, index) => index);
const added = (sums: bigint[]) =>
  BigInt.asUintN(
    64,
    sums.reduce((total, sum) => total + sum, 0n),
  );

test('mix64 is the finaliser of splitmix64, whose first outputs from seed 0 are published', () => {
  // Output n of splitmix64 from seed 0 is the finaliser of n times the golden ratio (Vigna, splitmix64.c).
  const golden = 0x9e3779b97f4a7c15n;
  const outputs = [1n, 2n, 3n].map((n) => mix64(BigInt.asUintN(64, n * golden)));
  assert.deepEqual(outputs, [0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn]);
});

test('parts of a tensor add up to the whole: rows, columns, and in any order', () => {
  for (const ranks of [2, 3, 4]) {
    const byRow = indices.map((index) => Math.floor(index / COLUMNS) % ranks);
    const byColumn = indices.map((index) => (index % COLUMNS) % ranks);
    for (const rankOf of [byRow, byColumn]) {
      const parts = Array.from({ length: ranks }, (_, rank) =>
        elementsSum(indices.filter((index) => rankOf[index] === rank).map(element)),
      );
      assert.equal(added(parts), whole);
    }
  }
  assert.equal(elementsSum(indices.toReversed().map(element)), whole);
});

test('a flipped bit, swapped elements and swapped tensors change the fingerprint', () => {
  const sums = new Map([
    ['a', whole],
    ['b', tensorSum({ ...tensor, data: data.toReversed() })],
  ]);
  const fingerprint = fingerprintOfSums(sums);
  assert.match(fingerprint, /^[0-9a-f]{16}$/);
  const others: [string, bigint][][] = [
    [
      ['a', sums.get('b') ?? 0n],
      ['b', whole],
    ],
    [
      ['a', whole],
      ['c', sums.get('b') ?? 0n],
    ],
    [['a', whole]],
  ];
  for (const bit of [0, 15, 31]) {
    const flipped = bits.slice();
    flipped[7] = (flipped[7] ?? 0) ^ (1 << bit);
    others.push([
      ['a', tensorSum({ ...tensor, data: new Float32Array(flipped.buffer) })],
      ['b', sums.get('b') ?? 0n],
    ]);
  }
  for (const other of others) assert.notEqual(fingerprintOfSums(new Map(other)), fingerprint);
  assert.equal(fingerprintOfSums(new Map([...sums].reverse())), fingerprint);
});

test('the sign of zero counts, and so does the place of a zero', () => {
  const sum = (...values: number[]) =>
    tensorSum({ dtype: 'F32', shape: [values.length], data: Float32Array.from(values) });
  assert.notEqual(sum(0), sum(-0));
  assert.notEqual(sum(0), sum(0, 0));
});
