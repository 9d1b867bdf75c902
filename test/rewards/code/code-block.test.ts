import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractCode } from '../../../rewards/code/code-block.ts';
import { LANGUAGES } from '../../../rewards/code/language.ts';
import { assertLinear, hostileTexts } from '../../helpers/hostile-texts.ts';

test('the last block in the language is the program', () => {
  const response =
    'First\n```python\nold\n```\nbetter:\n```py\nnew\n```\nrun it so:\n```bash\npython x.py\n```\n```\noutput\n```';
  assert.equal(extractCode(response, 'python'), 'new\n');
});

test('a block without a language is the program where none names the language', () => {
  assert.equal(extractCode('```\ncode\n```', 'cpp'), 'code\n');
  assert.equal(extractCode('```python\ncode\n```', 'cpp'), null);
  assert.equal(extractCode('~~~ C++\nint x;\n~~~', 'cpp'), 'int x;\n');
});

test('blocks inside the chain of thought do not count', () => {
  assert.equal(extractCode('<think>```python\nguess\n```</think>none', 'python'), null);
  assert.equal(
    extractCode('<think>\n```python\nguess\n```\n</think>\n```python\nanswer\n```', 'python'),
    'answer\n',
  );
});

test('a block that is cut off does not count, and a fence inside a longer one is part of its code', () => {
  assert.equal(extractCode('```python\nprint(1)', 'python'), null);
  assert.equal(extractCode('````python\n"""\n```\n"""\n````', 'python'), '"""\n```\n"""\n');
  assert.equal(extractCode('no code at all', 'python'), null);
});

test('a block is found after a tag or words, in a list or a quotation, and their indentation is removed', () => {
  for (const response of [
    '<answer>```python\nif x:\n    y\n```</answer>',
    '<answer>\n```python\nif x:\n    y\n</answer>',
    'Here it is:```python\nif x:\n    y\n```',
    'So:\n```\nif x:\n    y\n```',
    'So:```\nif x:\n    y\n```',
    '10. Step\n\n    ```python\n    if x:\n        y\n    ```',
    '- ```python\n  if x:\n      y\n  ```',
    '\t```python\n\tif x:\n\t    y\n\t```',
    '> ```python\n> if x:\n>     y\n> ```',
    '    ```python\nif x:\n    y\n    ```',
    '```python\n    if x:\n        y\n```',
    '```python\r\nif x:\r\n    y\r\n```\r\n',
  ]) {
    assert.equal(extractCode(response, 'python'), 'if x:\n    y\n', response);
  }
});

test('a block may close at the end of a line of code, before punctuation, a tag, a sentence or the next block', () => {
  for (const end of [
    '```',
    '```.',
    '\n```.',
    '\n``` </answer>',
    '\n```**',
    '\n``` It doubles.',
    '\n`````',
    '\n```<|im_end|>',
    '\n```output\n4\n```',
    '\n```python\nprint(',
  ])
    assert.equal(extractCode(`\`\`\`python\nprint(4)${end}`, 'python'), 'print(4)\n', end);
});

test('fences inside the code do not close it', () => {
  for (const code of [
    'x = "```"\n',
    'def f():\n    """\n    ```\n    f()\n    ```\n    """\n',
    'text = """```\nx\n"""\n',
    '# a ```pair``` of them\n',
    '~~~\n',
  ])
    assert.equal(extractCode(`\`\`\`python\n${code}\`\`\`\n`, 'python'), code);
});

test('the language is read from any usual info string', () => {
  const names = {
    python: [
      'python',
      'Python3',
      'python3.11',
      'Python 3',
      'py',
      'pypy3',
      '{.python}',
      '{ .py .x }',
      '{#a .python}',
      'language-python',
      '[python]',
      'python:main.py',
      'python,linenos',
      'python {cmd=true}',
      'main.py',
      'code',
    ],
    cpp: ['cpp', 'C++', 'c++17', 'cpp20', 'gnu++17', 'cc', 'g++', 'main.cpp', 'c++ title="a b"'],
    javascript: ['js', 'javascript title="a.js"', 'node', 'Node.js', 'nodejs18', 'mjs', 'src/a.mjs'],
  } as const;
  for (const [language, infos] of Object.entries(names)) {
    for (const info of infos)
      assert.equal(extractCode(`\`\`\`${info}\nx\n\`\`\``, language as keyof typeof names), 'x\n', info);
  }
  for (const info of [
    'python2',
    'python2.7',
    'pycon',
    'python-repl',
    'c',
    'c#',
    'objective-c++',
    'java',
    'json',
    'text',
    'typescript',
  ])
    for (const language of LANGUAGES)
      assert.equal(extractCode(`\`\`\`${info}\nx\n\`\`\``, language), null, info);
});

test('without a block, a span within a line or the text before a closing fence is the program', () => {
  assert.equal(extractCode('Use ```python print(1)``` for it.', 'python'), 'print(1)');
  assert.equal(extractCode('```python\nx\n```\nRun ```python x.py```.', 'python'), 'x\n');
  assert.equal(extractCode('<answer>\nprint(1)\n```\n</answer>', 'python'), '\nprint(1)\n');
  assert.equal(extractCode('```\nprint(1)', 'python'), null);
});

test('the time is linear in the length of the text', () => {
  const texts = hostileTexts([
    ['```', ''],
    ['```python\n', 'x\n```'],
    ['```python\nx```', 'x'],
    ['> ```\n', ''],
    ['<answer>', '```python\nx'],
  ]);
  assertLinear(texts, (text) => extractCode(text, 'python'));
});
