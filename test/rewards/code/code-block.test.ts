import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractCode } from '../../../rewards/code/code-block.ts';

test('the last block in the language is the program', () => {
  const response =
    'First\n```python\nold\n```\nbetter:\n```py\nnew\n```\nrun it so:\n```bash\npython x.py\n```\n```\noutput\n```';
  assert.equal(extractCode(response, 'python'), 'new\n');
});

test('a block without a language stands in where none names it', () => {
  assert.equal(extractCode('```\ncode\n```', 'cpp'), 'code\n');
  assert.equal(extractCode('```python\ncode\n```', 'cpp'), null);
  assert.equal(extractCode('~~~ C++\nint x;\n~~~', 'cpp'), 'int x;\n');
});

test('thinking holds no answer', () => {
  assert.equal(extractCode('<think>```python\nguess\n```</think>none', 'python'), null);
  assert.equal(
    extractCode('<think>\n```python\nguess\n```\n</think>\n```python\nanswer\n```', 'python'),
    'answer\n',
  );
});

test('a block that is cut off is no program, and a fence inside a longer one is its text', () => {
  assert.equal(extractCode('```python\nprint(1)', 'python'), null);
  assert.equal(extractCode('````python\n"""\n```\n"""\n````', 'python'), '"""\n```\n"""\n');
  assert.equal(extractCode('no code at all', 'python'), null);
});
