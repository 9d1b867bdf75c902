import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageShare } from '../../rewards/language.ts';
import { scored } from './support.ts';

const ENGLISH =
  'First we add the digits of the number. Then we check whether the sum is divisible by nine. ' +
  'Wait, I made a mistake here. So the total cost equals the price times the quantity.';
const GERMAN =
  'Zuerst addieren wir die Ziffern der Zahl. Dann prüfen wir, ob die Summe durch neun teilbar ist.';
const CHINESE = '首先我们把数字加起来，然后检查总和是否能被九整除。等一下，我算错了。';
const RUSSIAN = 'Сначала сложим цифры числа. Потом проверим, делится ли сумма на девять.';

test('a text in one language is wholly in it, and in no other', () => {
  const texts = { en: ENGLISH, de: GERMAN, zh: CHINESE, ru: RUSSIAN } as const;
  for (const [language, text] of Object.entries(texts)) {
    for (const target of ['en', 'de', 'zh', 'ru'] as const) {
      assert.equal(languageShare(text, target), target === language ? 1 : 0, `${language} for ${target}`);
    }
  }
});

test('a mixture scores between, more with more of the target language', () => {
  const little = languageShare(`${CHINESE} ${CHINESE} ${ENGLISH}`, 'en');
  const much = languageShare(`${ENGLISH} ${ENGLISH} ${CHINESE}`, 'en');
  assert.ok(0.2 < little && little < much && much < 0.9, `${little} ${much}`);
  const german = languageShare(`${ENGLISH} ${GERMAN}`, 'en');
  assert.ok(0.4 < german && german < 0.8, String(german));
  const oneWord = languageShare(`${ENGLISH} So the answer is 正确`, 'en');
  assert.ok(0.9 < oneWord && oneWord < 1, String(oneWord));
});

test('formulas, code, tags and links are no words', () => {
  const rest = [
    '$\\frac{a}{b} = \\text{Ziffern der Zahl}$',
    '$$\\sum_{i=1}^n x_i$$ \\[ \\sqrt{x} \\] \\(x\\)',
    '```python\nfor element in liste:\n    ergebnis_wert += elementWert\n```',
    '`pruefeZahl(x)` snake_case camelCase x2',
    'x = 3a + 4b - c, α + β = γ',
    'https://example.org/etwas/anderes',
    '<b>',
  ];
  for (const each of rest) {
    assert.equal(languageShare(`${ENGLISH} ${each} ${ENGLISH}`, 'en'), 1, each);
    assert.equal(languageShare(`${CHINESE} ${each} ${CHINESE}`, 'en'), 0, each);
    assert.equal(languageShare(`${CHINESE} ${each} ${CHINESE}`, 'zh'), 1, each);
  }
});

test('the share is the same under a change of white space', () => {
  const mixed = `${ENGLISH} ${CHINESE} ${GERMAN} $x + y$ ${RUSSIAN}`;
  for (const target of ['en', 'de', 'zh', 'ru'] as const) {
    const share = languageShare(mixed, target);
    assert.equal(languageShare(mixed.replaceAll(' ', '\n\n \t'), target), share);
    assert.equal(languageShare(`\n ${mixed} \n`, target), share);
  }
  assert.equal(languageShare([...CHINESE].join(' '), 'zh'), 1);
});

test('a text without words holds nothing in another language; an empty one is no chain', () => {
  assert.equal(languageShare('7+15=22, 22+3=25', 'en'), 1);
  assert.equal(languageShare(' \n', 'en'), 0);
});

test('the reward looks at the chain of thought alone', async () => {
  const score = (completionText: string) => scored('language', { completionText });
  assert.deepEqual(await score(`<think>${ENGLISH}</think><answer>${CHINESE}</answer>`), { score: 1 });
  assert.deepEqual(await score(`${ENGLISH}</think>${CHINESE}`), { score: 1 });
  assert.deepEqual(await score(`<think>${CHINESE}</think><answer>${ENGLISH}</answer>`), { score: 0 });
  assert.deepEqual(await score(`<think>${ENGLISH}`), { score: 1 });
});

test('listed words are counted in place of detection, in any case and beside any sign', async () => {
  const options = { words: { target: ['wait', 'so'], other: ['moment', 'also'] } };
  const score = (completionText: string) => scored('language', { completionText }, options);
  assert.deepEqual(await score('<think>Wait,7+5=12 so 12</think>also'), { score: 1 });
  assert.deepEqual(await score('<think>moment 7+5=12 so 12</think>'), { score: 0.5 });
  assert.deepEqual(await score('<think>moment moment also wait</think>'), { score: 0.25 });
  assert.deepEqual(await score('<think>7+5=12 sofa</think>'), { score: 1 });
});

test('hostile text costs its own score and little time', () => {
  const long = 100_000;
  for (const text of ['a', '$', '`', '\\(', '\\[', 'a_', '字', "a'", '{', 'aA', '<a', '\u0301', 'a:', '.']) {
    const share = languageShare(text.repeat(long), 'en');
    assert.ok(share >= 0 && share <= 1, text);
  }
});
