import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNearDuplicate, jaccard, shinglesOf } from '../../../algorithm/data/near-duplicates.ts';

const words = { unit: 'words', size: 3 } as const;
const characters = { unit: 'characters', size: 4 } as const;

/** Jaccard similarity by sets of strings, as the definition says it. */
function jaccardByDefinition(a: string, b: string, size: number): number {
  const runs = (text: string) => {
    const parts = text.split(' ');
    return new Set(parts.slice(size - 1).map((_, i) => parts.slice(i, i + size).join(' ')));
  };
  const [left, right] = [runs(a), runs(b)];
  const common = [...left].filter((run) => right.has(run)).length;
  return common / (left.size + right.size - common);
}

test('similarity is the share of shingles that both texts have', () => {
  const pairs = [
    ['a b c d e f', 'a b c d e f'],
    ['a b c d e f', 'a b c d e g'],
    ['a b c a b c a b c', 'c b a c b a'],
    ['a b c', 'x y z'],
  ] as const;
  for (const [a, b] of pairs) {
    assert.equal(
      jaccard(shinglesOf(a, words), shinglesOf(b, words)),
      jaccardByDefinition(a, b, 3),
      `${a} | ${b}`,
    );
  }
});

test('case and spacing do not tell two texts apart; the order of words does', () => {
  assert.equal(
    jaccard(shinglesOf('One  two\nthree four', words), shinglesOf('one two three four', words)),
    1,
  );
  assert.equal(jaccard(shinglesOf('four three two one', words), shinglesOf('one two three four', words)), 0);
  assert.equal(jaccard(shinglesOf('7+15=22', characters), shinglesOf('7+15=23', characters)), 3 / 5);
});

test('a text shorter than a shingle is one shingle', () => {
  assert.equal(shinglesOf('a', words).length, 1);
  assert.equal(shinglesOf('', words).length, 0);
  assert.equal(jaccard(shinglesOf('', words), shinglesOf(' ', words)), 1);
  assert.equal(jaccard(shinglesOf('a', words), shinglesOf('b', words)), 0);
});

test('a near-duplicate is one that reaches the similarity with any of the others', () => {
  const text = shinglesOf('a b c d e f g h i j', words);
  const close = shinglesOf('a b c d e f g h i k', words);
  const far = shinglesOf('a b c', words);
  assert(isNearDuplicate(text, [far, close], 7 / 9));
  assert(!isNearDuplicate(text, [far, close], 0.8));
  assert(!isNearDuplicate(text, [], 0.1));
});
