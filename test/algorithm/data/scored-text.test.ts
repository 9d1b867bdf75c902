import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoredText } from '../../../algorithm/data/scored-text.ts';

const plain = { prefilled: false };
const helpful = (response: string, prefilled = false) => scoredText('helpfulness', response, { prefilled });

test('helpfulness reads what follows the thinking, and all of an answer that does not think', () => {
  assert.equal(helpful('<think>\nhm\n</think>\n\n<answer>4</answer>'), '<answer>4</answer>');
  assert.equal(helpful('hm</think> 4', true), '4');
  assert.equal(helpful(' 4 '), '4');
});

test('thinking that never ends gives helpfulness nothing to read', () => {
  assert.equal(helpful('<think>on and on'), '');
  assert.equal(helpful('on and on', true), '');
});

test('a second end of the thinking hides nothing from helpfulness', () => {
  assert.equal(helpful('<think>a</think>rude</think>kind'), 'rude</think>kind');
});

test('safety reads the whole response, the thinking included', () => {
  const response = '<think>poison</think>no';
  assert.equal(scoredText('safety', response, plain), response);
});
