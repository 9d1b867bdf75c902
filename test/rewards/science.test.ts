import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choiceLabel, choicePrompt, shuffleChoices } from '../../algorithm/data/multiple-choice.ts';
import { scienceVerifier } from '../../rewards/science.ts';

const options = ['Ribosome', 'Mitochondria', 'Golgi apparatus', 'Nucleus'];
const entry = { options, answer: 'B' };

function scoreOf(response: string, truth: object = entry): number {
  const graded = scienceVerifier.verify(truth, response);
  return 'score' in graded ? graded.score : assert.fail(graded.error.message);
}

const STYLES = (label: string, text: string) => [
  label,
  `(${label})`,
  `[${label}]`,
  `${label}.`,
  `${label})`,
  label.toLowerCase(),
  `**${label}**`,
  `**${label}.** ${text}`,
  `Answer: ${label}`,
  `ANSWER: ${label}`,
  `**Answer:** ${label}`,
  `**Answer: ${label}**`,
  `Final answer: (${label})`,
  `The answer is ${label}`,
  `The answer is ${label}.`,
  `The correct answer is (${label}) ${text}.`,
  `The correct option is ${label}: ${text}`,
  `The answer is: ${label}. ${text}`,
  `\\boxed{${label}}`,
  `$\\boxed{\\text{${label}}}$`,
  `\\boxed{\\textbf{(${label})}}`,
  `\\boxed{${label}. ${text}}`,
  `\\boxed{\\text{${text}}}`,
  `So the answer is $\\boxed{${label}}$.`,
  `${label}. ${text}`,
  `(${label}) ${text}`,
  `${label}) ${text}`,
  `${label}: ${text}`,
  `${label} - ${text}`,
  `Option ${label}`,
  `option (${label})`,
  `${label}, because it makes the cell's energy`,
  text,
  text.toUpperCase(),
  `"${text}".`,
  `The answer is ${text}.`,
  `The answer is the ${text.toLowerCase()}.`,
  `It is the ${text}.`,
];

test('every form of writing an option counts for that option alone', () => {
  for (const [place, text] of options.entries()) {
    for (const style of STYLES(choiceLabel(place), text)) {
      for (const response of [
        style,
        `<think>A or C or D?</think>${style}`,
        `<think>Is it A?</think>\n<answer>${style}</answer>`,
      ]) {
        assert.equal(scoreOf(response), place === 1 ? 1 : 0, response);
        assert.equal(scoreOf(response, { options, correct: place }), 1, response);
      }
    }
  }
});

test('two answers at once score 0, whichever is right', () => {
  const both = [
    'A and B',
    'A or B',
    'B or C',
    'A, B',
    'A/B',
    '(A) or (B)',
    '(B), (C)',
    'Both A and B',
    'Either B or D',
    'The answer is B or C.',
    'Answer: A, B, C, D',
    '\\boxed{A} \\boxed{B}',
    '\\boxed{A, B}',
    '\\boxed{B} or \\boxed{C}',
    'Answer: A\nAnswer: B',
    'Answer: B\nAnswer: A',
    'The answer is A. The answer is B.',
    'Ribosome or Mitochondria',
    'A. Mitochondria',
    '(B) Ribosome',
    '<answer>A</answer><answer>B</answer>',
  ];
  for (const response of both) {
    assert.equal(scoreOf(response), 0, response);
    assert.equal(scoreOf(response, { options, answer: 'A' }), 0, response);
  }
});

test('a retracted answer does not count, the one after it does', () => {
  assert.equal(scoreOf('The answer is A. Wait, that is wrong: the answer is B.'), 1);
  assert.equal(scoreOf('The answer is B. No, actually the answer is A.'), 0);
});

test('a response without an answer scores 0', () => {
  for (const response of [
    '',
    ' ',
    'E',
    'I think',
    'A dog',
    'It is not the Mitochondria',
    '<think>B',
    '<think>The answer is B',
    '<answer>B',
    'Because',
    'AB',
    'Banana',
    '\\boxed{',
    '\\boxed{}',
    `${options.join(' ')}`,
  ]) {
    assert.equal(scoreOf(response), 0, response);
  }
});

test('unrelated white space changes nothing', () => {
  for (const style of STYLES('B', 'Mitochondria')) assert.equal(scoreOf(`\n\t ${style} \n`), 1, style);
  assert.equal(scoreOf('The answer\nis\n\nB. \n Mitochondria'), 1);
});

test('the layouts of common data sets are read, and an answer that is not an option is an error', () => {
  for (const truth of [
    { choices: options, answer: 1 },
    { choices: { A: 'Ribosome', B: 'Mitochondria' }, answer: 'B' },
    { choices: { text: options, label: ['A', 'B', 'C', 'D'] }, answerKey: 'B' },
    { options, answer: 'mitochondria' },
    { answer: 'B' },
    { options, correct: 1 },
  ]) {
    assert.equal(scoreOf('Answer: B', truth), 1, JSON.stringify(truth));
    assert.equal(scoreOf('Answer: A', truth), 0, JSON.stringify(truth));
  }
  for (const truth of [
    {},
    { options },
    { options, answer: 'E' },
    { options: ['x', 'x'], answer: 'A' },
    { options: ['x'], answer: 'A' },
    null,
    'B',
  ]) {
    const graded = scienceVerifier.verify(truth, 'B');
    assert.ok('error' in graded && graded.error.kind === 'ground-truth', JSON.stringify(truth));
  }
});

test('options that are numbers are distinguished', () => {
  const numbers = { options: ['1', '10', '1.5', '15'], answer: 'C' };
  assert.equal(scoreOf('1.5', numbers), 1);
  assert.equal(scoreOf('The answer is 1.5 m/s', numbers), 1);
  assert.equal(scoreOf('The answer is 15', numbers), 0);
  assert.equal(scoreOf('1', numbers), 0);
});

test('shuffled options keep the right one, and every letter occurs', () => {
  const question = { question: 'Where is ATP made?', options, correct: 1 };
  const letters = Array.from({ length: 50 }, (_, seed) => {
    const shuffled = shuffleChoices(question, BigInt(seed));
    assert.equal(shuffled.options[shuffled.correct], 'Mitochondria');
    const { problem, answer } = choicePrompt(shuffled, 'train');
    const label = choiceLabel(shuffled.correct);
    assert.match(problem, new RegExp(`^${label}\\. Mitochondria$`, 'm'));
    assert.equal(scoreOf(`<think>x</think>${label}`, JSON.parse(answer)), 1);
    return label;
  });
  assert.deepEqual([...new Set(letters)].sort(), ['A', 'B', 'C', 'D']);
});

test('hostile responses get a score, in little time', () => {
  for (const text of ['A and ', '\\boxed{', 'answer is ', '(', 'A, ', ' ', '**', 'wait ', 'B. ']) {
    assert.equal(scoreOf(text.repeat(100_000)), 0, text);
  }
});
