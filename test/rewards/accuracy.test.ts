import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accuracy } from '../../rewards/accuracy.ts';

const verdict = (completionText: string, answer = '37') =>
  accuracy.score({ problem: '7+15+3+12=?', answer, completionText, truncated: false });

test('the exact answer after the thinking scores 1, blanks around it aside', () => {
  for (const text of [
    '<think></think><answer>37</answer>',
    '<think>22,25,37</think>\n<answer> 37\n</answer>',
    '<think></think><answer>37</answer> and so on',
    '</think><answer>37</answer>',
  ]) {
    assert.deepEqual(verdict(text), { score: 1 }, text);
  }
  assert.deepEqual(verdict('<think></think><answer>37</answer>', ' 37\n'), { score: 1 });
});

test('anything else scores 0', () => {
  for (const text of [
    '',
    '37',
    '<answer>37</answer>',
    '<think><answer>37</answer></think>',
    '<think></think>37',
    '<think></think><answer>37',
    '<think></think><answer>37.0</answer>',
    '<think></think><answer>37 </answer><answer>37</answer>',
    '<think></think><answer>36</answer><answer>37</answer>',
    '<think></think><answer></answer>',
    '<answer>37</answer><think></think>',
  ]) {
    assert.deepEqual(verdict(text), { score: 0 }, text);
  }
});

test('a ground truth that no answer could equal is an error, not a zero', () => {
  for (const answer of ['', '  \n', '<answer>37</answer>', '37</think>']) {
    const result = verdict('<think></think><answer>37</answer>', answer);
    assert.ok('error' in result);
    assert.equal(result.error.kind, 'ground-truth');
    assert.match(result.error.message, /expected a ground truth/);
  }
});
