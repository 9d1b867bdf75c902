import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SandboxError } from '../../rewards/code/sandbox-error.ts';
import { makeReward } from '../../rewards/index.ts';
import { rewardInput, scored, tools } from './support.ts';

after(() => tools.close());

const verdict = (completionText: string, answer = '37') =>
  scored('accuracy', { problem: '7+15+3+12=?', answer, completionText });

test('the exact answer after the chain of thought scores 1; blanks around it are ignored', async () => {
  for (const text of [
    '<think></think><answer>37</answer>',
    '<think>22,25,37</think>\n<answer> 37\n</answer>',
    '<think></think><answer>37</answer> and so on',
    '</think><answer>37</answer>',
  ]) {
    assert.deepEqual(await verdict(text), { score: 1 }, text);
  }
  assert.deepEqual(await verdict('<think></think><answer>37</answer>', ' 37\n'), { score: 1 });
});

test('anything else scores 0', async () => {
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
    assert.deepEqual(await verdict(text), { score: 0 }, text);
  }
});

test('a ground truth that no answer can equal is an error, not a score of 0', async () => {
  for (const answer of ['', '  \n', '<answer>37</answer>', '37</think>']) {
    const result = await verdict('<think></think><answer>37</answer>', answer);
    assert.ok('error' in result);
    assert.equal(result.error.kind, 'ground-truth');
    assert.match(result.error.message, /expected a ground truth/);
  }
});

test('each domain is judged by its own rule, which reads the entry', async () => {
  const sudoku = { answer: '4', metadata: { source_dataset: 'gcd' } };
  const choice = { options: ['red', 'blue'], answer: 'B' };
  for (const [domain, answer, entry, right, wrong] of [
    ['math', '\\frac{1}{2}', null, '\\boxed{0.5}', '\\boxed{0.6}'],
    ['math/algebra', '7', null, 'so it is 7', 'so it is 8'],
    ['science', 'B', choice, 'The answer is (B).', 'A'],
    ['multiple-choice', JSON.stringify(choice), null, 'blue', 'red'],
    ['countdown', JSON.stringify({ numbers: [2, 3], target: 6 }), null, '3*2', '3+2'],
    ['reasoning-gym', '4', sudoku, '<answer>4</answer>', '<answer>5</answer>'],
    ['anything else', '37', null, '<answer>37</answer>', '37'],
  ] as const) {
    for (const [said, score] of [
      [right, 1],
      [wrong, 0],
    ] as const) {
      const verdict = await scored('accuracy', {
        domain,
        answer,
        entry,
        completionText: `<think>hm</think>${said}`,
      });
      assert.equal('score' in verdict && verdict.score, score, `${domain}: ${said}`);
    }
  }
});

test('text inside the chain of thought does not count as an answer, even where nothing follows', async () => {
  const score = (completionText: string, truncated = false) =>
    scored('accuracy', { domain: 'math', answer: '4', completionText, truncated });
  const right = { score: 1, extracted: '4', value: 'the ground truth' };
  for (const text of [
    '<think>\\boxed{4}</think>',
    '<think>\\boxed{4}',
    '\\boxed{4}</think>\\boxed{3}',
    '<think>a</think><think>\\boxed{4}',
    '<think>a</think><think>\\boxed{4}</think>',
    '<think>a</think>\\boxed{4}<think>or \\boxed{3}',
  ]) {
    const verdict = await score(text);
    assert.equal('score' in verdict && verdict.score, 0, text);
  }
  for (const text of ['<think>a</think>\\boxed{4}<think>b</think>', '<think>a</think>\\boxed{4}</think>\n'])
    assert.deepEqual(await score(text), right, text);
  assert.deepEqual(await score('wait, \\boxed{4} or', true), { score: 0 });
  assert.deepEqual(await score('\\boxed{4}'), right);
});

test('an entry that its domain cannot read is an error, not a score of 0', async () => {
  for (const [domain, answer] of [
    ['math', '\\frac{'],
    ['code', 'no JSON'],
    ['science', '{}'],
    ['reasoning-gym', '{"answer": "1", "metadata": {"source_dataset": "poker"}}'],
  ] as const) {
    const verdict = await scored('accuracy', { domain, answer, completionText: '```\n1\n```' });
    assert.ok('error' in verdict, domain);
  }
});

test('a time limit or a failure of the machine gives no verdict, but throws a retryable failure', async () => {
  const refusing = (kind: 'wall-clock' | 'sandbox-missing') => ({
    ...tools,
    sandbox: {
      ...tools.sandbox,
      ready: async () => {
        throw new SandboxError(kind, 'no');
      },
    },
  });
  const entry = { language: 'python', test_cases: [{ input: '', output: '' }] };
  const score = (kind: 'wall-clock' | 'sandbox-missing') =>
    makeReward({ name: 'accuracy' }, refusing(kind)).score(
      rewardInput({ domain: 'code', entry, completionText: '```python\n1\n```' }),
    );
  await assert.rejects(score('wall-clock'), { kind: 'Unavailable', retryable: true });
  await assert.rejects(score('sandbox-missing'), { kind: 'MissingTool', retryable: false });
});

test('a text of only tags, backslashes or brackets gets a score, in little time', async () => {
  for (const part of [
    '<answer>',
    '<think>',
    '</think>',
    '<think></think>',
    '\\',
    '\\boxed{',
    '(',
    '$',
    '9^',
  ]) {
    for (const domain of ['anything else', 'math']) {
      const completionText = `<think></think>${part.repeat(200_000 / part.length)}`;
      const verdict = await scored('accuracy', { domain, answer: '37', completionText });
      assert.equal('score' in verdict && verdict.score, 0, part);
    }
  }
});
