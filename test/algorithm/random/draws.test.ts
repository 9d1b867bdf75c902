import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawsFrom } from '../../../algorithm/random/draws.ts';

test('the same seed draws the same sequence, and another seed another', () => {
  const sequence = (seed: bigint) => {
    const draws = drawsFrom(seed);
    return Array.from({ length: 20 }, () => draws.integer(0, 1_000_000));
  };
  assert.deepEqual(sequence(1n), sequence(1n));
  assert.notDeepEqual(sequence(1n), sequence(2n));
});

test('integers reach both ends and go no further, and chances of 0 and 1 are certain', () => {
  const draws = drawsFrom(3n);
  const seen = new Set(Array.from({ length: 200 }, () => draws.integer(-2, 2)));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2],
  );
  for (let index = 0; index < 100; index++) {
    assert.equal(draws.chance(0), false);
    assert.equal(draws.chance(1), true);
  }
});

test('nothing can be chosen among no items', () => {
  assert.throws(() => drawsFrom(1n).among([]), /expected at least one item/);
});
