import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExactJson } from '../../../contracts/exact-json.ts';
import { parseExact, sameOutput, sameValue } from '../../../rewards/code/compare-output.ts';
import { assertLinear, hostileTexts } from '../../helpers/hostile-texts.ts';

test('blanks at the end of lines and of the output are ignored', () => {
  assert.ok(sameOutput('1 2\n3\n', '1 2  \r\n3'));
  assert.ok(sameOutput('1', '1\n\n'));
});

test('added, missing and moved lines are not ignored', () => {
  for (const actual of ['1\n2\n3', '1', '2\n1', '\n1\n2', '1\n\n2', ' 1\n2', '1 2', '']) {
    assert.ok(!sameOutput('1\n2\n', actual), JSON.stringify(actual));
  }
});

test('long integers are compared by all digits, also in lists of numbers', () => {
  assert.ok(!sameValue(parseExact('9007199254740993'), parseExact('9007199254740992')));
  assert.ok(sameValue(parseExact('[9007199254740993]'), parseExact('[9007199254740993]')));
  assert.ok(sameValue(parseExact('"9007199254740993"'), '9007199254740993'));
  assert.ok(!sameValue(parseExact('"9007199254740993"'), parseExact('9007199254740993')));
});

test('values are compared by structure, numbers other than integers up to rounding', () => {
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

/** An expected output, then right outputs and wrong ones. */
const PRINTED: [string, string[], string[]][] = [
  [
    '0.5000000000',
    ['0.5', '.5', '5e-1', '+0.50', '0.4999999999', '0.5000004'],
    ['0.50001', '0,5', '1/2', '-0.5', '0x.8p0', ''],
  ],
  ['0.5', ['0.50', '0.5000001', '0.49999999999999994'], ['0.500001', '0.6', '1', '0', '50%']],
  ['3.0', ['3', '3.000', '3.0000000001'], ['4', '3.1', '30']],
  ['0.333333', ['0.3333333333', '0.3333333'], ['0.33333', '0.333334', '1/3']],
  ['0.333333333333', ['0.333333333', '0.3333333'], ['0.33333', '0.3333']],
  ['0.000123', ['0.0001234', '0.00012345'], ['0.000124', '0.000122', '0']],
  ['1e-07', ['0.0000001', '1.0000001E-7'], ['2e-07', '0', '0.0', '1.1e-07']],
  ['6.63e-34', ['6.63000001e-34'], ['9.11e-31', '0', '6.64e-34']],
  ['0.0', ['0', '-0.0', '1e-12'], ['0.0001', '1e-7']],
  ['0.000000', ['0.0000004', '-0.000'], ['0.000001']],
  ['1e9', ['1000000000', '1000000000.0'], ['1000000001', '999999999']],
  ['100000000000.5', ['100000000000.50', '100000000000.5001'], ['100000000000.9', '100000000509.5']],
  ['100000000000000000.5', ['100000000000000000.50'], ['100000000000000001.5']],
  ['12345678.90', ['12345678.9', '12345678.9000001'], ['12345679.00', '12345678.91']],
  ['7', ['7'], ['7.0', '7e0', '+7', '07', '7.0000001', '8']],
  ['10000000000000000', ['10000000000000000'], ['10000000000000001', '1e16']],
  ['inf', ['inf', 'Infinity', '+INF'], ['-inf', 'nan', '1e300']],
  ['-inf 0.50', ['-Infinity 0.5'], ['inf 0.5']],
  ['nan', ['NaN', '-nan'], ['0.0', 'none', 'inf']],
  ['1e300', ['1e+300'], ['inf', '1e301', '1e999']],
  ['1 0.50 x', ['1 0.50 x'], ['1 0.5 x', '1.0 0.50 x']],
  ['Case #1: 0.500000', ['Case #1: 0.5'], ['Case #2: 0.5', 'Case #1:  0.5', 'Case #1: 0.6']],
  [
    '0.50 1.50\n2.50',
    ['0.5 1.5\n2.5'],
    ['0.5 1.5 2.5', '0.5\n1.5\n2.5', '1.5 0.5\n2.5', '0.5  1.5\n2.5', '0.5 1.5\n2.5\n0'],
  ],
  ['[0.50]', ['[0.50]'], ['[0.5]']],
];

test('printed real numbers are compared by value, integers by digits, and text as text', () => {
  for (const [expected, right, wrong] of PRINTED) {
    for (const actual of right) assert.ok(sameOutput(`${expected}\n`, actual), `${expected} = ${actual}`);
    for (const actual of wrong) assert.ok(!sameOutput(`${expected}\n`, actual), `${expected} ≠ ${actual}`);
    for (const actual of [...right, ...wrong].filter((each) => each !== expected))
      assert.ok(!sameOutput(expected, actual, 'text'), `${expected} ≠ ${actual} as text`);
  }
});

/** As JSON: an expected value, then right results and wrong ones. */
const RETURNED: [string, string[], string[]][] = [
  [
    '9007199254740993',
    ['9007199254740993'],
    ['9007199254740992', '9007199254740992.0', '"9007199254740993"'],
  ],
  ['9007199254740992', ['9007199254740992', '9007199254740992.0'], ['9007199254740993']],
  [
    '1124000727777607680000',
    ['1124000727777607680000', '1.1240007277776077e+21'],
    ['1124000727777607680001'],
  ],
  [
    '{"a":[1,100000000000000000001]}',
    ['{"a":[1,100000000000000000001]}'],
    ['{"a":[1,100000000000000000000]}', '{"a":[1,1e20]}'],
  ],
  ['5', ['5', '5.0', '5.000000001'], ['5.1', '5.0001', 'true', '"5"', '[5]']],
  ['1000000000', ['1000000000.0'], ['1000000000.4', '1000000001']],
  ['0.333333', ['0.3333333333333333'], ['0.3333', '0.33334']],
  ['1e300', ['1e300', `1${'0'.repeat(300)}`], ['1e301', '2e300']],
  ['true', ['true'], ['1', '"true"', 'null']],
  ['1', ['1'], ['true', 'null', '[1]']],
  ['null', ['null'], ['0', 'NaN', '[]', '']],
  ['"9007199254740993"', ['"9007199254740993"'], ['9007199254740993']],
];

test('returned integers are compared exactly at any depth, other numbers by nearness; booleans are not numbers', () => {
  for (const [expected, right, wrong] of RETURNED) {
    const same = (actual: string) => sameValue(parseExactJson(expected), parseExact(actual));
    for (const actual of right) assert.ok(same(actual), `${expected} = ${actual}`);
    for (const actual of wrong) assert.ok(!same(actual), `${expected} ≠ ${actual}`);
  }
  const long = '7'.repeat(5_000);
  assert.ok(sameValue(parseExactJson(long), parseExact(long)));
  assert.ok(!sameValue(parseExactJson(long), parseExact(`${long.slice(1)}8`)));
});

test('comparison takes linear time', () => {
  const texts = hostileTexts([
    ['0.5 ', ' 0.5'],
    ['"', ''],
    ['[1.', '1]'],
    ['-', 'x'],
  ]);
  assertLinear(texts, (text) => {
    assert.ok(!sameOutput('0.5 0.25\nx\n', text));
    sameOutput(`${text} 0.5`, `${text} 0.50`);
    sameValue([0.5], parseExact(text));
  });
});
