import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexEvaluations, sharedWithEvaluation } from '../../../algorithm/data/decontamination.ts';

const QUESTION =
  'Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.';
const index = indexEvaluations([QUESTION, '7+15+3+12=?']);

test('a run of ten words of an evaluation is found wherever it stands, signs, case and breaks aside', () => {
  const shared = 'sold clips to 48 of her friends in april and';
  for (const text of [
    QUESTION,
    `Once upon a time ${QUESTION.toUpperCase()} And so on`,
    'He SOLD — clips to\n48 of her: friends in April; and left',
  ]) {
    assert.ok(sharedWithEvaluation(index, text), text);
  }
  assert.equal(sharedWithEvaluation(index, 'x sold clips to 48 of her friends in April, and'), shared);
});

test('nine words in a row, or ten that are scattered, are no such run', () => {
  for (const text of [
    'sold clips to 48 of her friends in April, or',
    'Natalia sold many clips to 48 of her dear friends in late April, and then half as many in May.',
    'The answer is 72.',
    '',
  ]) {
    assert.equal(sharedWithEvaluation(index, text), null, text);
  }
});

test('a problem shorter than a run is found only where it is the whole text', () => {
  assert.equal(sharedWithEvaluation(index, ' 7+15+3+12=? '), '7+15+3+12=?');
  assert.equal(sharedWithEvaluation(index, '7*15*3*12=?'), null);
  assert.equal(sharedWithEvaluation(index, 'What is 7+15+3+12=?'), null);
});
