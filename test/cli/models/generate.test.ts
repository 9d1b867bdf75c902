import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notesOn } from '../../../cli/models/generate.ts';

const answered = (tokens: number[], of: object = {}) => ({
  document: { promptTokens: [1], tokens, logprobs: [], text: '' },
  truncated: false,
  endedBy: '<|im_end|>',
  ...of,
});
const templated = (hasChatTemplate: boolean) => ({ tokenizer: { hasChatTemplate } });

test('an answer that ends at once says why, and what to try', () => {
  assert.deepEqual(notesOn(answered([2]), templated(true), {}), [
    'ended at once: the first token was an end token, "<|im_end|>". The model has a chat template, and the prompt was used without it: try --chat',
  ]);
  assert.match(
    notesOn(answered([2]), templated(false), {})[0] ?? '',
    /no chat template: write the prompt as a text/,
  );
  assert.deepEqual(notesOn(answered([2]), templated(true), { chat: true }), [
    'ended at once: the first token was an end token, "<|im_end|>"',
  ]);
});

test('an answer that was cut says so, and another says nothing', () => {
  const cut = answered([5], { truncated: true, endedBy: null });
  assert.deepEqual(notesOn(cut, templated(true), {}), ['cut after 1 tokens; --max-tokens allows more']);
  assert.deepEqual(notesOn(answered([5, 6, 2]), templated(true), {}), []);
});
