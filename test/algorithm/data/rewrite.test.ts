import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOf } from '../../../algorithm/data/response-parts.ts';
import { templateRewriter } from '../../../algorithm/data/rewrite.ts';
import { isWellFormed } from '../../../rewards/format.ts';

const tags = (text: string) => templateRewriter('answer-tags').rewrite({ problem: '', domain: 'math', text });
const summary = (text: string) => templateRewriter('summary').rewrite({ problem: '', domain: 'math', text });

test('a response in the target form is left as it is, bit for bit', () => {
  for (const text of ['<think> a\n</think>\n<answer> 2 </answer>', '<think></think><answer>2</answer>'])
    assert.equal(tags(text), text);
  const written = summary('<think>a</think><answer>2</answer>') ?? '';
  assert.equal(summary(written), written);
});

test('what is told apart is written in the target form, which the format reward gives full marks', () => {
  const table: [string, string][] = [
    ['a<answer>2</answer>', '<think>a</think><answer>2</answer>'],
    ['a</think> so <answer>2</answer>', '<think>a</think><answer>2</answer>'],
    ['<think>a</think><answer>2</answer>\n\nbye', '<think>a</think><answer>2</answer>'],
  ];
  for (const [text, expected] of table) {
    assert.equal(tags(text), expected);
    assert(isWellFormed(expected));
  }
});

test('a summary says the answer in a sentence, or what the response itself says', () => {
  assert.equal(summary('<think>a</think><answer>2</answer>'), '<think>\na\n</think>\n\nThe answer is 2.');
  assert.equal(
    summary('<think>a</think>So it is <answer>2</answer>, as asked.'),
    '<think>\na\n</think>\n\nSo it is 2, as asked.',
  );
});

test('doubled tags, tags out of order, and responses without an answer have no parts', () => {
  for (const text of [
    'a<answer></think> b</answer>',
    '<think>a<think>b</think><answer>2</answer>',
    '<think>a</think><answer>2</answer><answer>3</answer>',
    '</answer><think>a</think><answer>',
    'a <think>b</think><answer>2</answer>',
    '<think>a</think>',
    '<think>a</think> <answer> </answer>',
    '<think>a',
    'a',
    '',
  ]) {
    assert.equal(partsOf(text), null, text);
    assert.equal(tags(text), null, text);
  }
  assert.equal(tags('<think>a</think>2'), null);
});

test('a hundred thousand line breaks are cut as quickly as they are read', { timeout: 20_000 }, () => {
  const long = `<think>${' \n'.repeat(100_000)}</think>${'\n '.repeat(100_000)}<answer>2`;
  for (const text of [long, `${long}</answer>`, `${long}</answer>${' '.repeat(100_000)}x`]) {
    tags(text);
    summary(text);
  }
});
