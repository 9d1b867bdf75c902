import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExactJson, stringifyExactJson } from '../../contracts/exact-json.ts';

test('every number keeps its digits', () => {
  const text =
    '{"a":[9007199254740993,-1000000000000000000007,9007199254740991,0.30000000000000000001,1e400,0.1],"b":{"c":1.5e-7}}';
  assert.equal(stringifyExactJson(parseExactJson(text)), text);
});

test('what a double holds is a number, other integers are bigints', () => {
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

test('text that is no JSON is a SyntaxError, with long numbers too', () => {
  for (const text of ['{', '[12345678901234567890', 'nul', '{"a":12345678901234567890,}'])
    assert.throws(() => parseExactJson(text), SyntaxError);
});
