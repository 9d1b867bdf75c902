import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSetWords } from '../../../cli/run/set.ts';

test('names and assignments are told apart', () => {
  assert.deepEqual(parseSetWords(['run-1', 'zero', 'learning_rate=1e-4', 'beta=0']), {
    names: ['run-1', 'zero'],
    values: { learning_rate: 1e-4, beta: 0 },
  });
  assert.deepEqual(parseSetWords(['epsilon=.1']).names, []);
});

const REFUSED: [string[], RegExp][] = [
  [['learning_rat=1'], /learning_rat cannot be changed; did you mean learning_rate\?/],
  [['max_steps=1'], /max_steps cannot be changed; fields that can: learning_rate, temperature/],
  [['beta=much'], /beta=much: expected a number, found much/],
  [['beta='], /expected a number, found nothing/],
  [['beta=1', 'beta=2'], /beta=2: expected each field once/],
  [['run-1'], /expected at least one field=value/],
  [['a', 'b', 'c', 'beta=1'], /expected a run and optionally a stage, found a b c/],
];

test('every word that is wrong is named with what was expected', () => {
  for (const [words, message] of REFUSED) assert.throws(() => parseSetWords(words), { message });
  assert.throws(() => parseSetWords(['bet=1', 'epsilon=x']), { message: /bet.*\n.*epsilon=x/ });
});
