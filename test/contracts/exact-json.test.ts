import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalJson,
  canonicalNumber,
  isExactNumber,
  parseExactJson,
  stringifyExactJson,
} from '../../contracts/exact-json.ts';
import { assertLinear, hostileTexts } from '../helpers/hostile-texts.ts';

test('every number keeps its digits', () => {
  const text =
    '{"a":[9007199254740993,-1000000000000000000007,9007199254740991,0.30000000000000000001,1e400,0.1],"b":{"c":1.5e-7}}';
  assert.equal(stringifyExactJson(parseExactJson(text)), text);
});

test('a number that a double represents is a number, other integers are bigints', () => {
  assert.deepEqual(parseExactJson('[1, 0.1, 1e3, 9007199254740991, 9007199254740992]'), [
    1,
    0.1,
    1000,
    9007199254740991,
    9007199254740992n,
  ]);
  assert.equal(
    String(parseExactJson('0.1000000000000000055511151231257827')),
    '0.1000000000000000055511151231257827',
  );
});

test('invalid JSON is a SyntaxError, with long numbers too', () => {
  for (const text of [
    '{',
    '[12345678901234567890',
    'nul',
    '{"a":12345678901234567890,}',
    '{12345678901234567890:1}',
    '01234567890123456789',
    '1234567890123456.',
    '"1234567890123456',
  ])
    assert.throws(() => parseExactJson(text), SyntaxError);
});

test('strings and names that contain numbers are unchanged', () => {
  const text =
    '{"12345678901234567890":"12345678901234567890 \\"12345678901234567890","__proto__":[12345678901234567890]}';
  assert.equal(stringifyExactJson(parseExactJson(text)), text);
  assert.equal(parseExactJson('12345678901234567890'), 12345678901234567890n);
  assert.equal(String(parseExactJson('9'.repeat(2_000))), '9'.repeat(2_000));
  const deep = `${'['.repeat(50_000)}12345678901234567890${']'.repeat(50_000)}`;
  assert.ok(Array.isArray(parseExactJson(deep)));
});

test('a value without long numbers is written as JSON.stringify writes it', () => {
  const value = { a: [1, 2.5, 'x\u2028"\\', null, { b: -0, c: 1e21, d: 5e-324 }, undefined], e: undefined };
  assert.equal(stringifyExactJson(value), JSON.stringify(value));
});

test('equal numbers have one canonical form in every notation', () => {
  const canonical = (text: string) => {
    const value = parseExactJson(text);
    return JSON.stringify(isExactNumber(value) ? String(canonicalNumber(value)) : String(value));
  };
  for (const [a, b] of [
    ['1e21', '1000000000000000000000'],
    ['1.2345e30', '1234500000000000000000000000000'],
    ['9007199254740992', '9007199254740992'],
    ['0.10000000000000000000001', '1.0000000000000000000001e-1'],
    ['1e400', `1${'0'.repeat(400)}`],
  ] as const)
    assert.equal(canonical(a), canonical(b));
  assert.notEqual(canonical('9007199254740993'), canonical('9007199254740992'));
  assert.notEqual(canonical('-9007199254740993'), canonical('9007199254740993'));
});

test('parsing takes linear time', () => {
  const texts = hostileTexts([
    ['"', ''],
    ['["', '12345678901234567890'],
    ['1.', '1'],
    ['[1234567890123456789,"', '"]'],
  ]);
  assertLinear(texts, (text) => {
    try {
      parseExactJson(text);
    } catch (error) {
      assert.ok(error instanceof SyntaxError || error instanceof RangeError);
    }
  });
});

test('a value has one canonical text, independent of notation and key order', () => {
  const same = [
    ['{"b":1e22,"a":[1.50]}', '{"a":[1.5],"b":10000000000000000000000}'],
    ['1e400', `1${'0'.repeat(400)}`],
    ['0.30000000000000000001', '3.0000000000000000001e-1'],
    ['9007199254740993', '9007199254740993.0'],
    ['[-0, 0, 0.0]', '[0,0,0]'],
  ];
  for (const [a = '', b = ''] of same)
    assert.equal(canonicalJson(parseExactJson(a)), canonicalJson(parseExactJson(b)));
  const different = [
    '9007199254740993',
    '9007199254740992',
    '9007199254740994',
    '0.1',
    '0.10000000000000000001',
  ];
  assert.equal(new Set(different.map((text) => canonicalJson(parseExactJson(text)))).size, different.length);
});

test('for doubles the canonical text is that of JSON.stringify, with sorted keys', () => {
  for (const value of [
    1e18,
    2 ** 60,
    1e22,
    1e-7,
    0.1,
    -5,
    'é\u2028',
    null,
    true,
    [1, 'a'],
    { a: 1, b: { c: [] } },
  ])
    assert.equal(canonicalJson(parseExactJson(JSON.stringify(value))), JSON.stringify(value));
});
