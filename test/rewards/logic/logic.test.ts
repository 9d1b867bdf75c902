import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encipher } from '../../../algorithm/puzzles/ciphers.ts';
import { generatePuzzles } from '../../../algorithm/puzzles/generate.ts';
import { puzzleGenerators } from '../../../algorithm/puzzles/index.ts';
import { solveStatements } from '../../../algorithm/puzzles/truth-tellers.ts';
import { nameOf, solveHouses } from '../../../algorithm/puzzles/zebra-clues.ts';
import { parseExactJson } from '../../../contracts/exact-json.ts';
import { logicVerifiers } from '../../../rewards/logic/index.ts';
import { assertLinear, hostileTexts } from '../../helpers/hostile-texts.ts';
import { scored } from '../support.ts';

function graded(domain: string, entry: unknown, response: string) {
  const verifier = logicVerifiers[domain];
  assert.ok(verifier);
  return verifier.verify(entry, response);
}

function scoreOf(domain: string, entry: unknown, response: string): number {
  const result = graded(domain, entry, response);
  return 'score' in result ? result.score : assert.fail(result.error.message);
}

function check(domain: string, entry: unknown, right: string[], wrong: string[]) {
  for (const response of right) {
    for (const each of [response, ` \n${response}\n`, `<think>hm</think>\n<answer> ${response} </answer>`]) {
      assert.equal(scoreOf(domain, entry, each), 1, each);
    }
  }
  for (const response of wrong) assert.equal(scoreOf(domain, entry, response), 0, response);
}

test('countdown accepts any exact expression of the given numbers', () => {
  check(
    'countdown',
    { numbers: [3, 8, 1, 1], target: 24 },
    [
      '3*8',
      '8*3*1*1',
      '(1*8)*(3/1)',
      '3 × 8',
      '8·3',
      '$3 \\times 8$',
      '\\boxed{3*8}',
      '3*8 = 24',
      '((((3))))*8',
      '--3*8',
    ],
    [
      '24',
      '3*8*2',
      '3*8*8',
      '3+8',
      '3*8 = 25',
      '3*8 = 24 = 24',
      '',
      '3**8',
      '3 8',
      '(3*8',
      '3*8)',
      '3.0*8',
      '24/1',
      '3*8; 1',
      'max(3,8)',
      '0x3*8',
      '1/0',
      '8//1*3',
    ],
  );
  const all = { numbers: [3, 8, 1, 1], target: 24, useAll: true };
  check('countdown', all, ['3*8*1*1', '3*8/1/1', '(3+1-1)*8'], ['3*8', '3*8*1']);
});

test('the 24 game needs all four numbers, exactly', () => {
  check(
    'puzzle24',
    { numbers: [3, 3, 8, 8] },
    ['8/(3-8/3)', '8 ÷ (3 − 8 ÷ 3)'],
    ['8*3', '3*8+3-8', '3*8*8/3', '8/(3-8/3)+0'],
  );
  check('puzzle24', { numbers: [5, 5, 5, 1] }, ['5*(5-1/5)'], ['5*5-1', '5*5-1/5']);
});

test('knights and knaves: every person once, consistent with all statements', () => {
  const entry = {
    names: ['Ada', 'Ben'],
    statements: [
      ['and', ['lying', 0], ['lying', 1]],
      ['lying', 0],
    ],
  };
  const right = [
    'Ada is a knave, and Ben is a knight.',
    'Ben is a knight, Ada is a knave',
    'ADA: knave\nBEN: knight',
    'The knaves: Ada is a knave. Ben is a knight.',
  ];
  const wrong = [
    'Ada is a knave',
    'Ada is a knight and Ben is a knave',
    'Ada is a knave, Ben is a knave, Ben is a knight',
    'Ada is not a knight, Ben is not a knave',
    'Ada is a knight or a knave, Ben is a knight',
    'Ada and Ben are knaves',
    'knave knave',
    '',
  ];
  check('knights-knaves', entry, right, wrong);
});

test('knights and knaves: every solution of an ambiguous puzzle is right', () => {
  const entry = {
    names: ['Ada', 'Ben'],
    statements: [
      ['telling-truth', 1],
      ['telling-truth', 0],
    ],
  };
  check(
    'knights-knaves',
    entry,
    ['Ada is a knight, Ben is a knight', 'Ada is a knave, Ben is a knave'],
    ['Ada is a knight, Ben is a knave'],
  );
  const roles = { knight: 'angel', knave: 'devil' };
  check('knights-knaves', { ...entry, roles }, ['Ada and Ben are angels'], ['Ada and Ben are knights']);
});

test('zebra puzzles: any table that fits every clue', () => {
  const entry = {
    attributes: { name: ['Ann', 'Bob', 'Cem'], drink: ['tea', 'milk', 'cola'] },
    clues: [
      { relation: 'same', a: ['name', 'Ann'], b: ['drink', 'tea'] },
      { relation: 'directly-left-of', a: ['name', 'Ann'], b: ['name', 'Bob'] },
      { relation: 'not-in-house', a: ['name', 'Cem'], house: 1 },
    ],
  };
  check(
    'zebra',
    entry,
    [
      '[{"name":"Ann","drink":"tea"},{"name":"Bob","drink":"milk"},{"name":"Cem","drink":"cola"}]',
      '[{"name":"ann","drink":"TEA"},{"name":"bob","drink":"cola"},{"name":"cem","drink":"milk"}]',
      '{"name": ["Ann", "Bob", "Cem"], "drink": ["tea", "cola", "milk"]}',
      '```json\n[{"name":"Ann","drink":"tea"},{"name":"Bob","drink":"milk"},{"name":"Cem","drink":"cola"}]\n```',
    ],
    [
      '[{"name":"Cem","drink":"cola"},{"name":"Ann","drink":"tea"},{"name":"Bob","drink":"milk"}]',
      '[{"name":"Ann","drink":"milk"},{"name":"Bob","drink":"tea"},{"name":"Cem","drink":"cola"}]',
      '[{"name":"Ann","drink":"tea"},{"name":"Bob","drink":"tea"},{"name":"Cem","drink":"cola"}]',
      '[{"name":"Ann","drink":"tea"},{"name":"Bob","drink":"milk"}]',
      '[{"name":"Ann","drink":"tea"},{"name":"Bob","drink":"milk"},{"name":"Cem","drink":"cola"},{"name":"Cem","drink":"cola"}]',
      '{"name": ["Ann"], "drink": []}',
      '[]',
      '{}',
      '',
      'Ann, Bob, Cem',
      '[{"__proto__": "x"}]',
    ],
  );
});

test('a plain text is right if it enciphers to the cipher text', () => {
  const cipher = { kind: 'caesar', rotation: 3 } as const;
  const entry = { cipher, cipherText: encipher('THE DAY FOR LIFE', cipher) };
  check(
    'cipher',
    entry,
    ['THE DAY FOR LIFE', 'the day\nfor life', '"The day for life"'],
    ['THE DAY FOR LIVE', '', 'WKH GDB IRU OLIH', 'THEDAYFORLIFE'],
  );
  const vigenere = { kind: 'vigenere', key: 'lemon' } as const;
  check('cipher', { cipher: vigenere, cipherText: 'LXFOPV EF RNHR' }, ['attack at dawn'], ['attack at dusk']);
});

test('a predicted output is compared as a value', () => {
  check(
    'output-prediction',
    { output: [1, 2, 3] },
    [
      '[1, 2, 3]',
      '[1,2,3]',
      '(1, 2, 3)',
      '[1.0, 2, 3]',
      '`[1, 2, 3]`',
      '\\boxed{[1, 2, 3]}',
      '```\n[1, 2, 3]\n```',
    ],
    ['[1, 2]', '[3, 2, 1]', '1, 2, 3', '[1, 2, 3', '[1, 2, 3]]', ''],
  );
  check(
    'output-prediction',
    { output: { a: [true, null], b: 'x' } },
    ["{'a': [True, None], 'b': 'x'}", '{"b": "x", "a": [true, null]}'],
    ['{"a": [true, null]}', '{"a": [1, null], "b": "x"}'],
  );
  check('output-prediction', { output: 'abc' }, ['"abc"', "'abc'", 'abc'], ['"ab"', 'ABC']);
  check('output-prediction', { accepted: [1, 2] }, ['1', '2'], ['3', '[1, 2]']);
  check(
    'output-prediction',
    parseExactJson('{"output": [9007199254740993, {"100000000000000000001": -1e20}]}'),
    [
      '[9007199254740993, {100000000000000000001: -100000000000000000000}]',
      '(9007199254740993, {"100000000000000000001": -1e20})',
    ],
    [
      '[9007199254740992, {"100000000000000000001": -1e20}]',
      '[9007199254740993, {"100000000000000000000": -1e20}]',
      '[9007199254740993, {"100000000000000000001": -100000000000000000001}]',
      '[9007199254740993.0, {"100000000000000000001": -1e20}]',
    ],
  );
  check(
    'output-prediction',
    { output: [0.1, -0, 2] },
    ['[0.10, 0, 2.0]', '[1e-1, -0.0, 2]'],
    ['[0.2, 0, 2]'],
  );
  check('output-prediction', { output: 'a"b\n' }, ['"a\\"b\\n"', "'a\"b\\n'"], ['a"b']);
});

test('the solutions of generated puzzles score 1 through the reward', async () => {
  const solved: Record<string, (answer: string) => string> = {
    zebra: (answer) => {
      const { attributes, clues } = JSON.parse(answer);
      const [houses = new Map()] = solveHouses(attributes, clues);
      const sorted = Object.entries<string[]>(attributes).map(([name, values]) => {
        const house = (value: string) => houses.get(nameOf([name, value])) ?? 0;
        return [name, [...values].sort((a, b) => house(a) - house(b))];
      });
      return JSON.stringify(Object.fromEntries(sorted));
    },
    'output-prediction': (answer) => JSON.stringify(JSON.parse(answer).output),
    'caesar-cipher': (answer) => JSON.parse(answer).clearText,
    'knights-knaves': (answer) => {
      const { names, statements } = JSON.parse(answer);
      const [knights = []] = solveStatements(statements);
      return names
        .map((name: string, i: number) => `${name} is a ${knights[i] ? 'knight' : 'knave'}`)
        .join(', ');
    },
  };
  for (const [domain, solve] of Object.entries(solved)) {
    const generator = Object.entries(puzzleGenerators).find(([name]) => name === domain)?.[1];
    assert.ok(generator);
    for (const { problem, answer } of generatePuzzles(generator, {
      difficulty: 3,
      train: 10,
      test: 2,
      seed: 5,
    })) {
      const input = {
        problem,
        answer,
        domain,
        completionText: `<think>x</think><answer>${solve(answer)}</answer>`,
      };
      const verdict = await scored('accuracy', input);
      assert.equal('score' in verdict && verdict.score, 1, problem);
    }
  }
});

test('an invalid entry is an error, not a score of 0', async () => {
  const broken = [null, 'x', {}, { numbers: ['1'] }, { numbers: 1, statements: [['not']], names: ['Ada'] }];
  for (const domain of Object.keys(logicVerifiers)) {
    for (const entry of broken) {
      const result = graded(domain, entry, '1');
      assert.ok(
        'error' in result && result.error.kind === 'ground-truth',
        `${domain} ${JSON.stringify(entry)}`,
      );
    }
    const verdict = await scored('accuracy', { domain, answer: 'no JSON', completionText: '1' });
    assert.ok('error' in verdict);
  }
});

test('output prediction takes linear time', () => {
  const texts = hostileTexts([
    ['```', '\n```'],
    ['`', '`'],
    ['\\boxed{', '}'],
    ['[', ']'],
    ['"', '"'],
  ]);
  assertLinear(texts, (text) => scoreOf('output-prediction', { output: [1] }, text));
});

test('hostile responses get a score, in little time', () => {
  const entries: Record<string, unknown> = {
    countdown: { numbers: [9, 9, 9], target: 5 },
    puzzle24: { numbers: [9, 9, 9, 9] },
    'knights-knaves': { names: ['Ada'], statements: [['telling-truth', 0]] },
    zebra: { attributes: { name: ['Ann'] }, clues: [] },
    cipher: { cipher: { kind: 'atbash' }, cipherText: 'ABC' },
    'output-prediction': { output: [1] },
  };
  const parts = [
    '(',
    '-',
    '9**9',
    '9*',
    '9/7+',
    '[',
    '{"a":',
    "'",
    '\\',
    ' ',
    'Ada ',
    '<answer>',
    '</think>',
    '"\\',
  ];
  for (const [domain, entry] of Object.entries(entries)) {
    for (const part of parts) {
      for (const times of [100, 1_000, 100_000]) assert.equal(scoreOf(domain, entry, part.repeat(times)), 0);
    }
  }
});
