import { parquet, type Shape } from './verdict.ts';

const qa = (question: string | null, answer: unknown = '1', more: object = {}) => ({
  question,
  answer,
  ...more,
});
const label = (prompt: string, more: object = {}) => ({ prompt, response: 'yes', ...more });
const fruit = (question: string, options: unknown, answer: unknown = 'A') => ({ question, options, answer });

/** Rows with a field that is null, missing or empty. */
export const shapes: Shape[] = [
  {
    name: 'a null question is refused',
    files: { 'rows.jsonl': [qa('a'), qa(null), qa('c')] },
    expected: 'train a = 1; train c = 1; refused 2 question',
    before: 'train a = 1; train  = 1; train c = 1',
  },
  {
    name: 'two null questions are refused for themselves, not for one another',
    files: { 'rows.jsonl': [qa('a'), qa(null, '2'), qa(null, '3')] },
    expected: 'train a = 1; refused 2 question; refused 3 question',
    before: 'train a = 1; train  = 2; refused 3 answer',
  },
  {
    name: 'a null question in the first row',
    files: { 'rows.jsonl': [qa(null), qa('b')] },
    expected: 'train b = 1; refused 1 question',
    before:
      'error: rows.jsonl line 1: expected a row of a known layout, found one with the fields question, answer.',
  },
  {
    name: 'a question that is missing or blank',
    files: { 'rows.jsonl': [qa('a'), { answer: '2' }, qa(' \n'), qa('')] },
    expected: 'train a = 1; refused 2 prompt; refused 3 question; refused 4 question',
    before: 'train a = 1; train  = 2; refused 3 question; refused 4 question',
  },
  {
    name: 'a null prompt in a column of Parquet',
    files: {
      'rows.parquet': parquet(
        { name: 'prompt', data: [[{ role: 'user', content: 'a' }], null], type: 'JSON' },
        { name: 'answer', data: ['1', '2'] },
      ),
    },
    expected: 'train a = 1; refused 2 prompt',
    before: 'train a = 1; train  = 2',
  },
  {
    name: 'a null answer',
    files: { 'rows.jsonl': [qa('a'), qa('b', null), qa('c', ' '), { question: 'd' }] },
    expected: 'train a = 1; refused 2 answer; refused 3 answer; refused 4 solution',
    before: 'train a = 1; refused 2 solution; refused 3 answer; refused 4 solution',
  },
  {
    name: 'a null problem of open-r1-math',
    files: {
      'rows.jsonl': [
        { problem: 'a', answer: '1' },
        { problem: null, answer: '2' },
      ],
    },
    expected: 'train a = 1; refused 2 problem',
  },
  {
    name: 'an empty solution beside an answer',
    files: { 'rows.jsonl': [qa('a', '1', { solution: '' }), qa('b', '2', { solution: null })] },
    expected: 'train a = 1; train b = 2',
    before: 'train b = 2; refused 1 solution',
  },
  {
    name: 'a blank solution and a blank answer beside a ground truth',
    files: { 'rows.jsonl': [{ prompt: 'a', solution: ' ', answer: '', ground_truth: '3' }] },
    expected: 'train a = 3',
    before: 'refused 1 solution',
  },
  {
    name: 'an empty solution and no answer',
    files: {
      'rows.jsonl': [
        { problem: 'a', solution: '\\boxed{1}' },
        { problem: 'b', solution: '' },
      ],
    },
    expected: 'train a = 1; refused 2 solution',
  },
  {
    name: 'a label that is null or missing is no unsafe one',
    files: {
      'rows.jsonl': [
        label('a', { safe: true }),
        label('b', { safe: null }),
        label('c'),
        label('d', { safe: 0 }),
      ],
    },
    expected: 'a > yes > true; d > yes > false; refused 2 safe; refused 3 safe',
    before: 'a > yes > true; c > yes > false; d > yes > false; refused 2 safe',
  },
  {
    name: 'is_safe beside a null safe',
    files: {
      'rows.jsonl': [label('a', { safe: null, is_safe: true }), label('b', { safe: null, is_safe: null })],
    },
    expected: 'a > yes > true; refused 2 safe',
    before: 'refused 1 safe; refused 2 safe',
  },
  {
    name: 'labels that contradict one another',
    files: {
      'rows.jsonl': [label('a', { safe: true, is_safe: false }), label('b', { safe: 1, is_safe: true })],
    },
    expected: 'b > yes > true; refused 1 is_safe',
    before: 'a > yes > true; b > yes > true',
  },
  {
    name: 'a null label in the first row',
    files: { 'rows.jsonl': [label('a', { safe: null }), label('b', { safe: false })] },
    expected: 'b > yes > false; refused 1 safe',
    before: 'a > yes > general; b > yes > general',
  },
  {
    name: 'no label in the first row',
    files: { 'rows.jsonl': [label('a'), label('b', { safe: false })] },
    expected: 'b > yes > false; refused 1 safe',
    before: 'a > yes > general; b > yes > general',
  },
  {
    name: 'a null response',
    files: { 'rows.jsonl': [label('a', { safe: true }), { prompt: 'b', response: null, safe: true }] },
    expected: 'a > yes > true; refused 2 response',
  },
  {
    name: 'a null rejected in the first row',
    files: {
      'rows.jsonl': [
        { prompt: 'a', chosen: 'x', rejected: null },
        { prompt: 'b', chosen: 'x', rejected: 'y' },
      ],
    },
    expected: 'b > x > y; refused 1 rejected',
    before:
      'error: rows.jsonl line 1: expected a row of a known layout, found one with the fields prompt, chosen, rejected.',
  },
  {
    name: 'a null prompt beside conversations',
    files: {
      'rows.jsonl': [
        {
          prompt: null,
          chosen: [
            { role: 'user', content: 'a' },
            { role: 'assistant', content: 'x' },
          ],
          rejected: [
            { role: 'user', content: 'a' },
            { role: 'assistant', content: 'y' },
          ],
        },
        { prompt: null, chosen: 'x', rejected: 'y' },
      ],
    },
    expected: 'a > x > y; refused 2 prompt',
    before: 'refused 1 prompt; refused 2 prompt',
  },
  {
    name: 'examples without a problem or without a response',
    files: {
      'rows.jsonl': [
        { problem: 'a', response: 'x' },
        { problem: null, response: 'x' },
        { problem: 'c', response: null },
        { problem: '', response: 'x' },
        { problem: 'e', response: '' },
      ],
    },
    expected: 'a > x > general; refused 2 problem; refused 3 response; refused 4 problem; refused 5 response',
  },
  {
    name: 'examples of prompt and completion beside null columns',
    files: { 'rows.jsonl': [{ problem: null, prompt: 'a', response: null, completion: 'x', domain: null }] },
    expected: 'a > x > general',
    before: 'refused 1 problem',
  },
  {
    name: 'a message without content',
    files: {
      'rows.jsonl': [
        {
          messages: [
            { role: 'user', content: 'a' },
            { role: 'assistant', content: null },
          ],
        },
        {
          messages: [
            { role: 'user', content: 'b' },
            { role: 'assistant', content: 'x' },
          ],
        },
        {
          messages: [
            { role: 'user', content: null },
            { role: 'assistant', content: 'x' },
          ],
        },
        { messages: null },
      ],
    },
    expected:
      'b > x > general; refused 1 messages.1.content; refused 3 messages.0.content; refused 4 messages',
  },
  {
    name: 'verl without a ground truth, also in the first row',
    files: {
      'rows.jsonl': [
        { prompt: 'a', reward_model: null },
        { prompt: 'b', reward_model: { ground_truth: '1' } },
        { prompt: 'c', reward_model: { ground_truth: null } },
      ],
    },
    expected: 'train b = 1; refused 1 reward_model; refused 3 reward_model.ground_truth',
    before:
      'error: rows.jsonl line 1: expected a row of a known layout, found one with the fields prompt, reward_model.',
  },
  {
    name: 'options by letter: a null one is none',
    files: {
      'rows.jsonl': [
        fruit('Which is no animal?', { A: 'all of the above', B: 'iron', C: null }),
        fruit('Which is a metal?', { A: 'none of these', B: 'iron', C: 'wool' }, 'B'),
      ],
    },
    expected:
      'train Which is no animal?\nA. all of the above\nB. iron = A [science]; ' +
      'train Which is a metal?\nA. none of these\nB. iron\nC. wool = B [science]',
    before: 'train Which is a metal?\nA. none of these\nB. iron\nC. wool = B [science]; refused 1 options',
  },
  {
    name: 'options by letter: an empty one is none',
    files: { 'rows.jsonl': [fruit('Which?', { A: 'all of the above', B: 'iron', C: '', D: ' ' })] },
    expected: 'train Which?\nA. all of the above\nB. iron = A [science]',
    before: 'refused 1 answer',
  },
  {
    name: 'the right option is null',
    files: {
      'rows.jsonl': [
        fruit('Which?', { A: 'x', B: 'y', C: null }, 'C'),
        fruit('Which else?', ['x', 'these'], 'B'),
      ],
    },
    expected: 'train Which else?\nA. x\nB. these = B [science]; refused 1 answer',
    before: 'train Which else?\nA. x\nB. these = B [science]; refused 1 options',
  },
  {
    name: 'a list of options: a null at its end is none, one within it is refused',
    files: {
      'rows.jsonl': [fruit('Which?', ['x', 'these', null], 'B'), fruit('Which else?', ['x', null, 'y'], 'A')],
    },
    expected: 'train Which?\nA. x\nB. these = B [science]; refused 2 options.1',
    before: 'refused 1 options; refused 2 options',
  },
  {
    name: 'texts and labels side by side: a null text is none',
    files: {
      'rows.jsonl': [
        {
          question: 'Which?',
          choices: { text: ['x', null, 'these'], label: ['A', 'B', 'C'] },
          answerKey: 'C',
        },
      ],
    },
    expected: 'train Which?\nA. x\nB. these = B [science]',
    before: 'refused 1 choices',
  },
  {
    name: 'null options in the first row, a null answer in the second',
    files: {
      'rows.jsonl': [
        fruit('Which?', null),
        fruit('Which else?', ['x', 'these'], null),
        fruit('And which?', ['x', 'these']),
      ],
    },
    expected: 'train And which?\nA. x\nB. these = A [science]; refused 1 options; refused 2 answer',
    before: 'train Which? = A; train And which? = A; refused 2 solution',
  },
  {
    name: 'the project’s own prompts: a null entry is none, a null domain is refused',
    files: {
      'rows.jsonl': [
        { problem: 'a', answer: '1', domain: null },
        { problem: 'b', answer: '1', domain: 'math', entry: null },
      ],
    },
    expected: 'train b = 1; refused 1 domain',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'a first row that is of no layout',
    files: { 'rows.jsonl': [{ comment: 'made by hand' }, qa('b')] },
    expected: 'train b = 1; refused 1 prompt',
    before: 'error: rows.jsonl line 1: expected a row of a known layout, found one with the fields comment.',
  },
  {
    name: 'a first line that is no JSON',
    files: { 'rows.jsonl': ['# made by hand', qa('b')] },
    expected: 'train b = 1; refused 1',
    before: 'error: rows.jsonl line 1: expected a row of a known layout, found expected a JSON object.',
  },
  {
    name: 'a file whose every row is of no layout',
    files: { 'rows.jsonl': [qa(null, null), qa(null, null)] },
    expected:
      'error: rows.jsonl line 1: expected a row of a known layout, found one with the fields question, answer.',
  },
];
