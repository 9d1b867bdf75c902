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

test('a text in one language scores 1 for it, and 0 for others', async () => {
  const texts = { en: ENGLISH, de: GERMAN, zh: CHINESE, ru: RUSSIAN } as const;
  for (const [language, text] of Object.entries(texts)) {
    for (const target of ['en', 'de', 'zh', 'ru'] as const) {
      assert.equal(
        await languageShare(text, target),
        target === language ? 1 : 0,
        `${language} for ${target}`,
      );
    }
  }
});

test('a mixture scores in between, higher with more of the target language', async () => {
  const little = await languageShare(`${CHINESE} ${CHINESE} ${ENGLISH}`, 'en');
  const much = await languageShare(`${ENGLISH} ${ENGLISH} ${CHINESE}`, 'en');
  assert.ok(0.2 < little && little < much && much < 0.9, `${little} ${much}`);
  const german = await languageShare(`${ENGLISH} ${GERMAN}`, 'en');
  assert.ok(0.4 < german && german < 0.8, String(german));
  const oneWord = await languageShare(`${ENGLISH} So the answer is 正确`, 'en');
  assert.ok(0.9 < oneWord && oneWord < 1, String(oneWord));
});

test('formulas, code, tags and links do not count as words', async () => {
  const rest = [
    '$\\frac{a}{b} = \\text{Ziffern}$',
    '$$\\sum_{i=1}^n x_i$$ \\[ \\sqrt{x} \\] \\(x\\)',
    '```python\nfor element in liste:\n    ergebnis_wert += elementWert\n```',
    '`pruefeZahl(x)` snake_case camelCase x2',
    'x = 3a + 4b - c, α + β = γ',
    'https://example.org/etwas/anderes',
    '<b>',
  ];
  for (const each of rest) {
    assert.equal(await languageShare(`${ENGLISH} ${each} ${ENGLISH}`, 'en'), 1, each);
    assert.equal(await languageShare(`${CHINESE} ${each} ${CHINESE}`, 'en'), 0, each);
    assert.equal(await languageShare(`${CHINESE} ${each} ${CHINESE}`, 'zh'), 1, each);
  }
});

test('changes of white space do not change the share', async () => {
  const mixed = `${ENGLISH} ${CHINESE} ${GERMAN} $x + y$ ${RUSSIAN}`;
  for (const target of ['en', 'de', 'zh', 'ru'] as const) {
    const share = await languageShare(mixed, target);
    assert.equal(await languageShare(mixed.replaceAll(' ', '\n\n \t'), target), share);
    assert.equal(await languageShare(`\n ${mixed} \n`, target), share);
  }
  assert.equal(await languageShare([...CHINESE].join(' '), 'zh'), 1);
});

test('a text without words scores 1, an empty one 0', async () => {
  assert.equal(await languageShare('7+15=22, 22+3=25', 'en'), 1);
  assert.equal(await languageShare(' \n', 'en'), 0);
});

test('the reward reads only the chain of thought', async () => {
  const score = (completionText: string) => scored('language', { completionText });
  assert.deepEqual(await score(`<think>${ENGLISH}</think><answer>${CHINESE}</answer>`), { score: 1 });
  assert.deepEqual(await score(`${ENGLISH}</think>${CHINESE}`), { score: 1 });
  assert.deepEqual(await score(`<think>${CHINESE}</think><answer>${ENGLISH}</answer>`), { score: 0 });
  assert.deepEqual(await score(`<think>${ENGLISH}`), { score: 1 });
});

test('listed words are counted instead of detection, in any case and beside any punctuation', async () => {
  const options = { words: { target: ['wait', 'so'], other: ['moment', 'also'] } };
  const score = (completionText: string) => scored('language', { completionText }, options);
  assert.deepEqual(await score('<think>Wait,7+5=12 so 12</think>also'), { score: 1 });
  assert.deepEqual(await score('<think>moment 7+5=12 so 12</think>'), { score: 0.5 });
  assert.deepEqual(await score('<think>moment moment also wait</think>'), { score: 0.25 });
  assert.deepEqual(await score('<think>7+5=12 sofa</think>'), { score: 1 });
});

const SPANISH = 'Primero sumamos los números y luego dividimos entre tres.';

test('words of another language count wherever they occur', async () => {
  const hidden = [
    `$${SPANISH}$`,
    `\\[ ${SPANISH} \\]`,
    `$\\text{${SPANISH}}$`,
    `\`\`\`\n${SPANISH}\n\`\`\``,
    `\`\`\`python\n# ${SPANISH}\nx = 1\n\`\`\``,
    `\`\`\`python\nprint("${SPANISH}")\n\`\`\``,
    `\`${SPANISH}\``,
    SPANISH.replaceAll(' ', '_'),
    SPANISH.replaceAll(/ (?=\w+ \w+( |\.))/g, '_'),
    SPANISH,
  ];
  for (const each of hidden) {
    const share = await languageShare(`${ENGLISH} ${each} ${ENGLISH}`, 'en');
    assert.ok(0.8 < share && share < 0.9, `${share} ${each}`);
    assert.equal(await languageShare(each, 'en'), 0, each);
    assert.equal(await languageShare(each, 'es'), 1, each);
  }
});

test('a foreign word within a text counts where it is clearly foreign', async () => {
  for (const text of [`So the números are odd. ${ENGLISH}`, `${ENGLISH} Wir berechnen it.`]) {
    const share = await languageShare(text, 'en');
    assert.ok(0.9 < share && share < 1, `${share} ${text}`);
  }
});

test('halves in two languages of one script are distinguished, in any order', async () => {
  const french = "D'abord on additionne les nombres, puis on divise la somme par trois.";
  const english = 'First we add up all of the numbers, and then we divide the sum by three.';
  for (const text of [
    `${english} ${french}`,
    `${french} ${english}`,
    `${french} ${english} ${french} ${english}`,
  ]) {
    for (const target of ['en', 'fr'] as const) {
      const share = await languageShare(text, target);
      assert.ok(0.4 < share && share < 0.6, `${share} ${target} ${text}`);
    }
  }
});

test('repeated units and names do not count as another language', async () => {
  for (const text of [
    'John has 4 bananas + 6 bananas = 10 bananas. Then 10 bananas + 12 bananas = 22 bananas.',
    'First find the fruit: 20 fruit * 6 = 120 fruit. Then 120 fruit + 67 fruit = 187 fruit.',
    'Dijkstra relaxes each edge; Dijkstra never visits a node twice, and Dijkstra needs a heap.',
    'By Cauchy-Schwarz and Bolzano-Weierstrass, the sequence of Hermann Schwarz converges.',
  ]) {
    assert.ok((await languageShare(text, 'en')) >= 0.9, text);
  }
});

test('English names of code and of formulas do not count against another language', async () => {
  const chinese = '我们调用函数并检查结果是否正确，然后返回最大值。';
  for (const each of [
    '`is_prime(n)` `max_len = 5`',
    '```python\nfor value in values:\n    total_sum += value\n    is_valid = check_all(value)\n```',
    '$v_{max} = \\frac{\\text{distance}}{\\text{time}}$',
  ]) {
    assert.equal(await languageShare(`${chinese}${each}${chinese}`, 'zh'), 1, each);
    assert.equal(await languageShare(each, 'zh'), 1, each);
  }
  const comment = '```python\n# first we check whether the sum is divisible\nx = 1\n```';
  const share = await languageShare(`${chinese}${comment}${chinese}`, 'zh');
  assert.ok(share < 0.9, String(share));
});

test('Chinese and Japanese are distinguished by kana', async () => {
  const japanese = 'まず数字を足します。次に九で割り切れるか確認します。';
  assert.equal(await languageShare(japanese, 'ja'), 1);
  assert.equal(await languageShare(japanese, 'zh'), 0);
  assert.equal(await languageShare(CHINESE, 'ja'), 0);
  const mixed = await languageShare(`${CHINESE}${japanese}`, 'zh');
  assert.ok(0.4 < mixed && mixed < 0.8, String(mixed));
});

test('hostile text gets a score, in little time', async () => {
  const long = 200_000;
  const distinct = Array.from({ length: long / 6 }, (_, i) => (i * 7919).toString(36)).join(' x');
  assert.equal(typeof (await languageShare(distinct, 'en')), 'number');
  for (const text of [
    'ab ',
    '$ab$',
    '`a`',
    '```\n',
    '~~~',
    '\\text{',
    '\\text{ab} ',
    'かな',
    'а',
    '"',
    '#',
    '//',
    'a',
    '$',
    '`',
    '\\(',
    '\\[',
    'a_',
    '字',
    "a'",
    '{',
    'aA',
    '<a',
    '\u0301',
    'a:',
    '.',
  ]) {
    const share = await languageShare(text.repeat(long / text.length), 'en');
    assert.ok(share >= 0 && share <= 1, text);
  }
});
