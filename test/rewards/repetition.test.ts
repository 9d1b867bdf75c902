import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeatedShare, repetitionPenalty } from '../../rewards/repetition.ts';

const score = (completionText: string, options = { ngramSize: 3, maxPenalty: -1 }) => {
  const verdict = repetitionPenalty(options).score({
    problem: '',
    answer: '',
    completionText,
    truncated: false,
  });
  return 'score' in verdict ? verdict.score : assert.fail(verdict.error.message);
};

test('a text that never repeats an n-gram is not punished, one that does nothing else almost fully', () => {
  assert.equal(score('one two three four five six'), 0);
  assert.ok(score('wait '.repeat(1_000)) < -0.99);
  assert.ok(score('ha'.repeat(1_000)) < -0.98);
  assert.ok(score('等'.repeat(1_000)) < -0.99);
  assert.ok(score('='.repeat(1_000)) < -0.99);
});

test('the share is that of n-grams seen before', () => {
  // a b c, b c a, c a b, a b c: one of four
  assert.equal(repeatedShare('a b c a b c', 3), 0.25);
  assert.equal(score('a b c a b c', { ngramSize: 3, maxPenalty: -0.4 }), -0.1);
});

test('white space and case do not count', () => {
  const text = 'So 7+15=22. So 7 + 15 = 22. Then 再 检查 一 次';
  assert.equal(score(text), score(text.replaceAll(' ', ' \n\t')));
  assert.equal(score(text), score(`  ${text.toUpperCase()}  `));
  assert.equal(score('7+15=22, 7+15=22'), score('7 + 15 = 22 , 7 + 15 = 22'));
});

test('a text shorter than two n-grams is not punished', () => {
  for (const text of ['', ' ', 'a', 'a a a']) assert.equal(score(text), 0);
});

test('options that mean nothing are refused', () => {
  assert.throws(() => repetitionPenalty({ ngramSize: 0, maxPenalty: -1 }), RangeError);
  assert.throws(() => repetitionPenalty({ ngramSize: 3, maxPenalty: 1 }), RangeError);
});
