import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyValue } from '../../rewards/math/verify.ts';

/** The value of a wrong boxed answer. */
function valueIn(answer: string, truth = '777'): string | null | undefined {
  const verdict = verifyValue(truth, `\\boxed{${answer}}`);
  assert.ok('score' in verdict, answer);
  return verdict.value;
}

const EQUAL: string[][] = [
  ['0.5', '\\frac12', '1/2', '\\frac{2}{4}', '50\\%', '0.50'],
  ['90', '90^\\circ', '90\\text{ degrees}', '9 \\cdot 10', '90.0'],
  ['x=2', '2', '2.0', 'x = 1 + 1'],
  ['1+x', 'x+1', '\\frac{2x+2}{2}'],
  ['\\sqrt{2}', '2^{1/2}', '\\frac{2}{\\sqrt{2}}'],
  ['1, 2', '2, 1', '\\{1, 2\\}', 'x = 1, x = 2', '1 \\text{ and } 2'],
  ['\\pm 2', 'x = \\pm 2', '2, -2'],
  ['x < 3', '3 > x'],
  ['[1, 2]', '1 \\le x \\le 2'],
  ['1,000', '1000', '1{,}000'],
  ['10!', '3628800'],
  ['\\text{no solution}', '\\text{No solution}'],
];

test('answers of equal value have the same key, others do not', () => {
  const values = EQUAL.map((group) => {
    const found = new Set(group.map((answer) => valueIn(answer)));
    assert.equal(found.size, 1, `${group.join(' | ')}: ${[...found].join(' | ')}`);
    return [...found][0];
  });
  assert.equal(new Set(values).size, EQUAL.length);
});

test('values that differ slightly, or in their order, are different', () => {
  const pairs = [
    ['99999999999999999999', '99999999999999999998'],
    ['(1, 2)', '(2, 1)'],
    ['\\begin{pmatrix}1&2\\end{pmatrix}', '\\begin{pmatrix}2&1\\end{pmatrix}'],
    ['0.333', '1/3'],
    ['x < 3', 'x \\le 3'],
    ['x', 'y'],
    ['\\text{A}', '\\text{B}'],
  ];
  for (const [one = '', other = ''] of pairs) assert.notEqual(valueIn(one), valueIn(other), one);
});

test('right answers have one value, and a response without an answer has none', () => {
  const right = ['0.5', '\\frac12', '50\\%'].map((answer) => valueIn(answer, '1/2'));
  assert.equal(new Set(right).size, 1);
  for (const response of ['I do not know.', "Sorry, I can't solve this.", '', '<think>\\boxed{3}']) {
    const verdict = verifyValue('5', response);
    assert.deepEqual('score' in verdict && verdict.value, null, response);
  }
});

test('a value is short, and the same in every call and in every thread', () => {
  const hostile = [
    '9^{9^{9^9}}',
    '\\sum_{k=1}^{10000000000} k',
    '2^{30000}',
    '7'.repeat(3_000),
    'x^{5}+'.repeat(300) + 1,
    `${'x,'.repeat(200)}x`,
    'word '.repeat(500),
  ];
  for (const answer of hostile) {
    const value = valueIn(answer) ?? '';
    assert.ok(value.length > 0 && value.length <= 200, answer.slice(0, 40));
    assert.equal(valueIn(answer), value);
  }
});
