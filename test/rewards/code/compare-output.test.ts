import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExact, sameOutput, sameValue } from '../../../rewards/code/compare-output.ts';

test('blanks at the end of lines and of the output are forgiven', () => {
  assert.ok(sameOutput('1 2\n3\n', '1 2  \r\n3'));
  assert.ok(sameOutput('1', '1\n\n'));
});

test('a line too many, too few or elsewhere is not forgiven', () => {
  for (const actual of ['1\n2\n3', '1', '2\n1', '\n1\n2', '1\n\n2', ' 1\n2', '1 2', '']) {
    assert.ok(!sameOutput('1\n2\n', actual), JSON.stringify(actual));
  }
});

test('long integers keep all their digits, also within texts of digits', () => {
  assert.ok(!sameValue(parseExact('9007199254740993'), parseExact('9007199254740992')));
  assert.ok(sameValue(parseExact('[9007199254740993]'), parseExact('[9007199254740993]')));
  assert.ok(sameValue(parseExact('"9007199254740993"'), '9007199254740993'));
  assert.ok(!sameValue(parseExact('"9007199254740993"'), parseExact('9007199254740993')));
});

test('values are the same by structure, other numbers than integers within rounding', () => {
  assert.ok(sameValue(0.3, 0.1 + 0.2));
  assert.ok(!sameValue(0.3, 0.3001));
  assert.ok(sameValue(parseExact('1.0'), 1));
  assert.ok(sameValue({ a: [1, null], b: true }, { b: true, a: [1, null] }));
  assert.ok(!sameValue([1, 2], [1, 2, 3]));
  assert.ok(!sameValue({ a: 1 }, { a: 1, b: 2 }));
  assert.ok(!sameValue(1, '1'));
  assert.ok(!sameValue(1, true));
  assert.equal(parseExact('{'), undefined);
});
