import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasoningGymTasks, scoreReasoningGym } from '../../../rewards/reasoning-gym/score.ts';

interface Case {
  answer: string;
  metadata?: object;
  full: string[];
  /** responses below full marks, with their partial credits */
  less: [string, number][];
}

const exact = (answer: string, share: number): Case => ({
  answer,
  full: [answer, `<answer> ${answer}\n</answer>`, `<answer>no</answer> <answer>${answer}</answer>`],
  less: [
    [`${answer}${answer}`, share],
    ['', 0],
    ['no', 0],
    [`<answer>${answer}</answer><answer>no</answer>`, 0],
  ],
});

/** Verdicts of reasoning-gym 0.1.25. */
const cases: Record<string, Case> = {
  base_conversion: exact('3320', 0.5),
  basic_arithmetic: exact('-5623', 0.5),
  caesar_cipher: exact('IT IS THE DAY', 0.5),
  gcd: exact('15', 0.5),
  lcm: exact('810', 0.5),
  leg_counting: exact('414', 0.5),
  letter_counting: exact('6', 0.5),
  list_functions: exact('[44, 3]', 0.5),
  number_sequence: exact('256', 0.5),
  simple_equations: exact('87', 0.5),
  syllogism: exact('No', 0.5),
  chain_sum: {
    answer: '1000',
    full: ['1000', '+01,000.00', '1e3', ' 1000 ', '1_000'],
    less: [
      ['1000.1', 4 / 6],
      ['-1000', 0.8],
      ['nan', 0],
      ['', 0],
    ],
  },
  decimal_arithmetic: {
    answer: '144.987474',
    full: ['144.987474', '144.987', '144.988474', '1.44987474e2', '144.986474'],
    less: [
      ['144.9884750', 0],
      ['144,987474', 0],
      ['1e999999999', 0],
      ['', 0],
    ],
  },
  family_relationships: { answer: 'wife', full: ['wife', ' Wife\n'], less: [['the wife', 0]] },
  fraction_simplification: {
    answer: '$97/320$',
    metadata: { numerator: 1067, denominator: 3520, simplified_numerator: 97, simplified_denominator: 320 },
    full: ['97/320', '$97/320$', '\\frac{97}{320}', '$\\dfrac{ 97 }{ 320 }$', ' 97 / 320 '],
    less: [
      ['1067/3520', 0.1],
      ['1/2', 0.05],
      ['97', 0.01],
      ['', 0.01],
    ],
  },
  gsm_symbolic: {
    answer: '285',
    full: ['285', '285.0', 'The answer is $285.', '-285', '285 of 300'],
    less: [
      ['284', 0.01],
      ['1 and 285', 0.01],
      ['none', 0],
      ['1,285', 0.01],
    ],
  },
  knights_knaves: {
    answer: 'Abigail is a devil, and Riley is an angel.',
    full: ['Riley is an angel, and Abigail is a devil', 'abigail devil riley angel'],
    less: [
      ['Abigail is a devil, and Riley is a devil.', 0.65],
      ['Abigail is a devil', 0],
      ['', 0],
    ],
  },
  mini_sudoku: {
    answer: '2 1 4 3\n3 4 1 2\n1 3 2 4\n4 2 3 1',
    metadata: {
      solution: [
        [2, 1, 4, 3],
        [3, 4, 1, 2],
        [1, 3, 2, 4],
        [4, 2, 3, 1],
      ],
    },
    full: ['2 1 4 3\n3 4 1 2\n1 3 2 4\n4 2 3 1'],
    less: [
      ['2143\n3412\n1324\n4231', 0.9],
      ['2143\n3412\n1324\n4232', 0.9 * (15 / 16)],
      ['', 0],
    ],
  },
  polynomial_equations: {
    answer: '-0.5, 2.0',
    full: ['-0.5, 2.0', '2, -.5', '2,-0.5000'],
    less: [
      ['2', 0.5],
      ['-0.5, 2, 3', 0.5],
      ['', 0],
    ],
  },
  countdown: {
    answer: '3*8 + 1',
    metadata: { numbers: [3, 8, 1], target: 25 },
    full: ['3*8 + 1', '1+(8*3)', '8*3+1 # yes\n', '(8\n*3)+1'],
    less: [
      ['8*3', 0.05],
      ['8*3-1', 0.05],
      ['25', 0.05],
      ['8*3+1 = 25', 0.01],
      ['', 0.01],
      ['9**9**9**9', 0.01],
    ],
  },
  puzzle24: {
    answer: '3*8*1/1',
    metadata: { numbers: [3, 1, 8, 1] },
    full: ['3*8*1/1', '8*3/1/1'],
    less: [
      ['3*8', 0.01],
      ['11+13*1*1', 0.01],
      ['24', 0.01],
      ['(3*8*1/1', 0.01],
    ],
  },
  spell_backward: {
    answer: 'dcba',
    full: ['dcba', 'DCBA'],
    less: [
      ['dcbaa', 0.8],
      ['dcab', 0.5],
      ['', 0],
    ],
  },
  zebra_puzzles: { answer: 'arnold', full: ['arnold', 'Arnold\n'], less: [['the arnold', 0]] },
};

test('every task has its cases', () => {
  assert.deepEqual(Object.keys(cases).sort(), Object.keys(reasoningGymTasks).sort());
});

for (const [task, { answer, metadata, full, less }] of Object.entries(cases)) {
  const entry = { question: '', answer, metadata: { source_dataset: task, ...metadata } };
  test(`${task}: full marks and partial credits`, () => {
    for (const response of full) {
      const graded = scoreReasoningGym(entry, response);
      assert.ok('score' in graded && graded.score === 1, JSON.stringify(response));
    }
    for (const [response, credit] of less) {
      const graded = scoreReasoningGym(entry, response);
      assert.ok('score' in graded && graded.score === 0, response);
      const partial = scoreReasoningGym(entry, response, { partial: true });
      assert.ok(
        'score' in partial && Math.abs(partial.score - credit) < 1e-9,
        `${response} ${JSON.stringify(partial)}`,
      );
    }
  });

  test(`${task}: hostile responses get a score, in little time`, () => {
    for (const part of [
      '(',
      '9**',
      '1,',
      '-',
      ' ',
      '<answer>',
      '</answer>',
      'a',
      '\n',
      '9',
      '1/',
      '$',
      'is a ',
      '1e9 ',
    ]) {
      for (const end of ['', 'x']) {
        const graded = scoreReasoningGym(entry, part.repeat(50_000) + end);
        assert.ok('score' in graded && graded.score === 0, part);
      }
    }
  });
}

test('an unknown task and an invalid entry are errors', () => {
  const unknown = scoreReasoningGym({ answer: '1', metadata: { source_dataset: 'rubiks_cube' } }, '1');
  assert.ok('error' in unknown && unknown.error.kind === 'unknown-task');
  assert.match(unknown.error.message, /expected one of base_conversion, .* found "rubiks_cube"/);
  for (const entry of [
    null,
    {},
    { answer: 1, metadata: { source_dataset: 'gcd' } },
    { answer: '1' },
    { answer: '1', metadata: { source_dataset: 'toString' } },
    { answer: '1', metadata: { source_dataset: 'countdown' } },
    { answer: '1', metadata: { source_dataset: 'mini_sudoku', solution: [] } },
  ]) {
    assert.ok('error' in scoreReasoningGym(entry, '1'), JSON.stringify(entry));
  }
});
