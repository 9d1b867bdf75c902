import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest, editDistance } from '../../cli/suggestion.ts';

test('distance counts insertions, deletions and substitutions', () => {
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('same', 'same'), 0);
});

test('a name far from all others suggests nothing', () => {
  assert.equal(closest('learning_rat', ['beta', 'learning_rate']), 'learning_rate');
  assert.equal(closest('zebra', ['beta', 'learning_rate']), undefined);
});
