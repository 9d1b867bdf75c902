import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overlongPunishment } from '../../rewards/length.ts';

const options = { maxCompletionLength: 100, overlongCache: 20 };

test('the punishment is 0 up to the interval, falls linearly within it, and stays at -1 beyond', () => {
  const lengths = [0, 79, 80, 85, 90, 100, 101, 1_000];
  assert.deepEqual(
    lengths.map((length) => overlongPunishment(length, options)),
    [0, 0, 0, -0.25, -0.5, -1, -1, -1],
  );
});

test('an interval outside of the limit is rejected', () => {
  for (const overlongCache of [0, -1, 101, Number.NaN]) {
    assert.throws(() => overlongPunishment(1, { ...options, overlongCache }), /overlongCache: expected/);
  }
});
