import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewardSchema } from '../../contracts/rewards.ts';
import { repeatedShare } from '../../rewards/repetition.ts';
import { scored } from './support.ts';

const score = async (completionText: string, options = { ngram_size: 3, max_penalty: -1 }) => {
  const verdict = await scored('repetition', { completionText }, options);
  return 'score' in verdict ? verdict.score : assert.fail(verdict.error.message);
};

test('a text without a repeated n-gram is not punished, one that only repeats itself almost fully', async () => {
  assert.equal(await score('one two three four five six'), 0);
  assert.ok((await score('wait '.repeat(1_000))) < -0.99);
  assert.ok((await score('ha'.repeat(1_000))) < -0.98);
  assert.ok((await score('等'.repeat(1_000))) < -0.99);
  assert.ok((await score('='.repeat(1_000))) < -0.99);
});

test('the share counts n-grams that occurred before', async () => {
  // a b c, b c a, c a b, a b c: one of four
  assert.equal(repeatedShare('a b c a b c', 3), 0.25);
  assert.equal(await score('a b c a b c', { ngram_size: 3, max_penalty: -0.4 }), -0.1);
});

test('white space and case do not count', async () => {
  const text = 'So 7+15=22. So 7 + 15 = 22. Then 再 检查 一 次';
  assert.equal(await score(text), await score(text.replaceAll(' ', ' \n\t')));
  assert.equal(await score(text), await score(`  ${text.toUpperCase()}  `));
  assert.equal(await score('7+15=22, 7+15=22'), await score('7 + 15 = 22 , 7 + 15 = 22'));
});

test('a text shorter than two n-grams is not punished', async () => {
  for (const text of ['', ' ', 'a', 'a a a']) assert.equal(await score(text), 0);
});

test('invalid options are rejected', () => {
  for (const options of [{ ngram_size: 0 }, { max_penalty: 1 }, { ngrams: 3 }]) {
    assert.equal(rewardSchema.safeParse({ name: 'repetition', options }).success, false);
  }
});
