import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffSeconds, failuresAfter, STABLE_SECONDS } from '../../../infra/supervisor/backoff.ts';

test('the wait doubles from half a second and stays at thirty', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8, 50].map(backoffSeconds), [0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
});

test('failures add up while a process dies young, and count anew once it ran well', () => {
  assert.equal(failuresAfter(0, 1), 1);
  assert.equal(failuresAfter(4, STABLE_SECONDS - 1), 5);
  assert.equal(failuresAfter(4, STABLE_SECONDS), 1);
});
