import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packFirstFitDecreasing } from '../../../algorithm/rl/packing.ts';

test('the longest go first, each into the first bin with room', () => {
  assert.deepEqual(packFirstFitDecreasing([4, 8, 1, 4, 2, 1], 10), [
    [1, 4],
    [0, 3, 2, 5],
  ]);
});

test('equal sizes go in the order given, so that the same sizes are always packed the same way', () => {
  assert.deepEqual(packFirstFitDecreasing([5, 5, 5], 10), [[0, 1], [2]]);
});

test('every item lies in one bin, no bin is over full, and no two bins would fit into one', () => {
  const sizes = Array.from({ length: 200 }, (_, i) => 1 + ((i * 7919) % 61));
  const bins = packFirstFitDecreasing(sizes, 64);
  const fill = (bin: number[]) => bin.reduce((sum, item) => sum + (sizes[item] ?? 0), 0);
  assert.deepEqual(
    bins.flat().sort((a, b) => a - b),
    sizes.map((_, i) => i),
  );
  const filled = bins.map(fill).sort((a, b) => a - b);
  assert.ok((filled.at(-1) ?? 0) <= 64);
  assert.ok((filled[0] ?? 0) + (filled[1] ?? 0) > 64);
});

test('an item that fits no bin is refused by its place', () => {
  assert.throws(() => packFirstFitDecreasing([3, 11], 10), /item 1: expected a size of at most 10, found 11/);
});

test('nothing needs no bin', () => {
  assert.deepEqual(packFirstFitDecreasing([], 0), []);
});
