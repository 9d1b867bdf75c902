import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scored } from './support.ts';

const verdict = (completionText: string, truncated = false) =>
  scored('format', { completionText, truncated });

test('one think block and one answer block as the whole text score 1, whatever they contain', async () => {
  for (const text of [
    '<think></think><answer></answer>',
    '<think>a\nb</think><answer>c\nd</answer>',
    '<think>a</think>\n\n<answer>b</answer>',
  ]) {
    assert.deepEqual(await verdict(text), { score: 1 }, text);
  }
});

test('text before or after, even a line break, scores 0', async () => {
  const whole = '<think>a</think><answer>b</answer>';
  for (const extra of ['x', ' ', '\n', '\nmore', '\n\n']) {
    assert.deepEqual(await verdict(whole + extra), { score: 0 }, JSON.stringify(whole + extra));
    assert.deepEqual(await verdict(extra + whole), { score: 0 }, JSON.stringify(extra + whole));
  }
});

test('a missing, repeated or misplaced tag scores 0', async () => {
  for (const text of [
    '',
    '<think>a<answer>b</answer>',
    '<answer>b</answer>',
    '<think>a</think>b',
    '<think>a</think><answer>b',
    '<think>a</think><answer>b</answer><answer>c</answer>',
    '<think><think>a</think><answer>b</answer>',
    '<think>a</think></think><answer>b</answer>',
    '<answer>b</answer><think>a</think>',
    '<think>a<answer>b</answer></think>',
    '<think>a</think>so<answer>b</answer>',
    '<Think>a</Think><answer>b</answer>',
  ]) {
    assert.deepEqual(await verdict(text), { score: 0 }, text);
  }
});

test('a truncated completion scores 0', async () => {
  assert.deepEqual(await verdict('<think>a</think><answer>b</answer>', true), { score: 0 });
});
