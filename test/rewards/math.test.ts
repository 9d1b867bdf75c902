import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verifyMath } from '../../rewards/math/verify.ts';

interface Case {
  suite?: string;
  truth: string;
  response: string;
  expected?: 0 | 1;
  error?: string;
  differs?: string;
}

const cases: Case[] = readFileSync(new URL('./math-cases.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line));

function outcome({ truth, response }: Case): number | string {
  const verdict = verifyMath(truth, response);
  return 'error' in verdict ? verdict.error.kind : verdict.score;
}

const wrong = (list: Case[]) =>
  list
    .filter((each) => outcome(each) !== (each.error ?? each.expected))
    .map(({ truth, response }) => [truth, response]);

test("every case of Math-Verify's suite has the suite's verdict, except those that differ on purpose", () => {
  const suite = cases.filter((each) => each.suite !== undefined && each.differs === undefined);
  assert.ok(suite.length > 200);
  assert.deepEqual(wrong(suite), []);
});

test('a case that differs on purpose still differs', () => {
  const differing = cases.filter(({ differs }) => differs !== undefined);
  assert.equal(wrong(differing).length, differing.length);
});

test('every additional case has its verdict', () => {
  assert.deepEqual(wrong(cases.filter(({ suite }) => suite === undefined)), []);
});

/** The unit repeated to 200,000 characters. */
const long = (part: string, before = '') =>
  before + part.repeat(Math.ceil((200_000 - before.length) / part.length)).slice(0, 200_000 - before.length);

const HOSTILE: Record<string, string> = {
  'a tower of powers': '\\boxed{9^{9^{9^9}}}',
  'ten thousand brackets': `\\boxed{${'('.repeat(10_000)}5${')'.repeat(10_000)}}`,
  'ten thousand groups': `\\boxed{${'{'.repeat(10_000)}5${'}'.repeat(10_000)}}`,
  'thirty thousand open boxes': '\\boxed{'.repeat(30_000),
  'a hundred thousand dollars': '$'.repeat(100_000),
  'open dollars and text': '$ a '.repeat(40_000),
  'open display brackets': '\\[ a '.repeat(40_000),
  'the word answer again and again': 'answer '.repeat(30_000),
  'the final answer again and again': 'The final answer is '.repeat(10_000),
  'a sum of ten thousand million terms': '\\boxed{\\sum_{k=1}^{10000000000} k}',
  'sums within sums': `\\boxed{${'\\sum_{k=1}^{999}'.repeat(20)} k}`,
  'an exponent of six digits': '\\boxed{1e999999}',
  'a long factorial': '\\boxed{99999999999!}',
  'factorials of factorials': `\\boxed{9${'!'.repeat(500)}}`,
  'fractions without end': '\\frac'.repeat(600),
  'a million digits': '7'.repeat(1_000_000),
  'digits and commas': '1,'.repeat(100_000),
  'minus signs': `\\boxed{${'-'.repeat(3_000)}x}`,
  'plus-minus signs': `\\boxed{1${'\\pm 1'.repeat(600)}}`,
  'a list of two thousand': `\\boxed{${'x,'.repeat(1_900)}x}`,
  'boxes in a row': long('\\boxed{1}'),
  'guesses in boxes': long('\\boxed{1} or maybe \\boxed{2} '),
  'denied boxes': long('not \\boxed{5} '),
  'boxes with much between': long('\\boxed{1} and then, wait, no, it is rather so that '),
  'open boxes of text': long('\\boxed{\\text{'),
  'marks in a row': long('#### '),
  'marks with a value': long('#### 1\n'),
  'marks that announce': long('#### the answer is 1 if 2\n'),
  'end tokens': long('<|', '#### 1 '),
  'blanks after a mark': long(' ', '#### 1'),
  'blanks after an announcement': long(' ', 'The answer is'),
  'reasons without end': long('because 1 ', 'The answer is 1 '),
  'conditions without end': long('if 1 is 2 ', 'The answer is 1 '),
  'corrections without end': long('wait, no, 1 ', 'The answer is 1 '),
  'connectors without end': long('is ', 'The answer is '),
  'brackets after a value': long('(1) ', 'The answer is 1 '),
  'nested brackets after a value': long('((1)', 'The answer is 1 '),
  'approximations without end': long('1 ≈ '),
  'number words without end': long('two hundred and one half ', 'The answer is '),
  'words of yes and no': long('Yes, no. '),
  'answers in Chinese': long('答案是1，因为'),
  'bold signs': long('**1** ', 'The answer is '),
  stars: long('*', 'The answer is '),
  'qualifiers of constants': `\\boxed{${long('\\text{ for any } c ')}}`,
  'commas before a set': `\\boxed{${long(', ')}c \\in \\mathbb{R}}`,
  'letters of choices': long('\\textbf{(B)}\\ '),
  'second chains of thought': long('<think></think>'),
  'powers side by side': `\\boxed{${'999^{999}'.repeat(300)}}`,
};

test('hostile responses get a score', () => {
  for (const [name, response] of Object.entries(HOSTILE)) {
    for (const truth of ['5', 'Yes', '\\textbf{(D)}\\ 11', 'f(x)=cx \\text{ for any } c']) {
      const verdict = verifyMath(truth, response);
      assert.equal('score' in verdict && verdict.score, 0, `${truth}: ${name}`);
    }
  }
});

test('a hostile ground truth is an error, or scores the same text 1', () => {
  const tower = '9^{9^{9^9}}';
  assert.equal(outcome({ truth: tower, response: `\\boxed{${tower}}` }), 1);
  assert.equal(outcome({ truth: `${'('.repeat(9_999)}5`, response: '\\boxed{5}' }), 'ground-truth');
  assert.equal(outcome({ truth: '\\sum_{k=1}^{10000000000} k', response: '\\boxed{5}' }), 'ground-truth');
});

test('a verdict names the answer that was found', () => {
  assert.deepEqual(verifyMath('2', 'so $x = \\boxed{3}$'), { score: 0, extracted: '3' });
  assert.deepEqual(verifyMath('2', 'No idea, sorry.'), { score: 0, extracted: 'No idea, sorry.' });
  assert.deepEqual(verifyMath('2', ''), { score: 0, extracted: null });
});

test('an inequality as ground truth accepts an interval, and not the reverse', () => {
  assert.equal(outcome({ truth: '-2 \\le x < 7', response: '\\boxed{[-2, 7)}' }), 1);
  assert.equal(outcome({ truth: '[-2, 7)', response: '\\boxed{-2 \\le x < 7}' }), 0);
});

test('an unsolved equation does not equal its right side', () => {
  assert.equal(outcome({ truth: '11', response: '\\boxed{2x + 1 = 11}' }), 0);
  assert.equal(outcome({ truth: '2x + 1 = 11', response: '\\boxed{11}' }), 0);
  assert.equal(outcome({ truth: 'x = 11', response: '\\boxed{11}' }), 1);
});

test('white space around the answer does not matter', () => {
  for (const [truth, response] of [
    ['\\frac{1}{2}', '\\boxed{ \\frac { 1 } { 2 } }'],
    ['(1, 2)', '\\boxed{\n(1,2)\n}'],
    ['1,234', 'The answer is   1234 .'],
  ] as const) {
    assert.equal(outcome({ truth, response }), 1, response);
  }
});
