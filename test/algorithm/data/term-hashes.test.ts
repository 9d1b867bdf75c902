import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  distinctHashes,
  hashOf,
  repeatedShare,
  runHashes,
  termHashes,
} from '../../../algorithm/data/term-hashes.ts';
import { repeatedShare as repeatedShareByText } from '../../../rewards/repetition.ts';

const texts = [
  '',
  ' \n\t',
  'One two, two: 3.5%',
  `ha${'ha'.repeat(40)} x`,
  '7+15=22 then 22+3=25',
  'a_b-c/d \u0000 \u007f',
  'Größe ist Größe',
  '我们看看。我们看看',
];

test('terms are words without case, symbols and letters of scripts without spaces', () => {
  assert.deepEqual([...termHashes('One two,')], ['one', 'two', ','].map(hashOf));
  assert.deepEqual([...termHashes('看X')], ['看', 'x'].map(hashOf));
  assert.deepEqual([...termHashes('a'.repeat(20))], ['a'.repeat(16), 'aaaa'].map(hashOf));
});

test('ASCII letter by letter gives what the pattern gives', () => {
  for (const text of texts) {
    const [, ...byPattern] = termHashes(`é ${text}`);
    assert.deepEqual([...termHashes(text)], byPattern, JSON.stringify(text));
  }
});

test('the share of repeated runs is that of the repetition reward', () => {
  for (const text of [...texts, 'a b c d e f '.repeat(7), 'one two three '.repeat(4)]) {
    for (const size of [1, 2, 6])
      assert.equal(
        repeatedShare(termHashes(text), size),
        repeatedShareByText(text, size),
        `${size}: ${text}`,
      );
  }
});

test('runs differ by their order, and equal ones count once', () => {
  const terms = Uint32Array.from([1, 2, 1, 2, 1]);
  const runs = runHashes(terms, 2);
  assert.equal(runs.length, 4);
  assert.equal(distinctHashes(runs).length, 2);
  assert.equal(runHashes(terms, 9).length, 1);
  assert.equal(runHashes(new Uint32Array(), 9).length, 0);
});
