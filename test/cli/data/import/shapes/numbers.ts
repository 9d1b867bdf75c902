import { parquet, type Shape } from './verdict.ts';

const BIG = '9007199254740993';
const qa = (answer: string) => `{"question": "q${answer}", "answer": ${answer}}`;
const kept = (...answers: string[]) => answers.map((answer) => `train q${answer} = ${answer}`).join('; ');
const function_call = (argument: string) =>
  `{"language":"python","test_cases":[{"type":"function_call","fn_name":"f","input":[${argument}],"output":993}]}`;
const given = (answer: unknown) =>
  parquet({ name: 'question', data: ['a'] }, { name: 'answer', ...(answer as { data: never }) });

/** Numbers as answers, and those that a double cannot hold. */
export const shapes: Shape[] = [
  {
    name: 'question and answer: whole numbers, fractions, negative ones',
    files: { 'rows.jsonl': ['5', '0.5', '-3', '0', '123456789'].map(qa) },
    expected: kept('5', '0.5', '-3', '0', '123456789'),
  },
  {
    name: 'problem and answer: a number is an answer too',
    files: {
      'rows.jsonl': [
        { problem: 'a', answer: 1 },
        { problem: 'b', answer: 0.25 },
        { problem: 'c', answer: '3' },
      ],
    },
    expected: 'train a = 1; train b = 0.25; train c = 3',
    before: 'train c = 3; refused 1 answer; refused 2 answer',
  },
  {
    name: 'the project’s own prompts: a number is an answer too',
    files: {
      'rows.jsonl': [
        { problem: 'a', answer: 1, domain: 'math' },
        `{"problem": "b", "answer": ${BIG}, "domain": "math"}`,
      ],
    },
    expected: `train a = 1; train b = ${BIG}`,
    before: 'refused 1 answer; refused 2 answer',
  },
  {
    name: 'reasoning-gym: a number is an answer too',
    files: { 'rows.jsonl': [{ question: 'gcd?', answer: 2, metadata: { source_dataset: 'gcd' } }] },
    expected: 'train gcd? = 2 [reasoning-gym/gcd] {"answer":"2","metadata":{"source_dataset":"gcd"}}',
    before: 'refused 1 answer',
  },
  {
    name: 'verl: a number is a ground truth',
    files: {
      'rows.jsonl': [
        { prompt: 'a', reward_model: { ground_truth: 4 } },
        `{"prompt": "b", "reward_model": {"ground_truth": ${BIG}}}`,
        JSON.stringify({ prompt: 'c', reward_model: `{"ground_truth": ${BIG}}` }),
      ],
    },
    expected: `train a = 4; train b = ${BIG}; train c = ${BIG}`,
    before: 'train a = 4; train b = 9007199254740992; train c = 9007199254740992',
  },
  {
    name: 'a prompt beside a ground truth or a solution that is a number',
    files: {
      'rows.jsonl': [
        { prompt: 'a', ground_truth: 4 },
        { prompt: 'b', solution: 5 },
        `{"prompt": "c", "solution": ${BIG}}`,
      ],
    },
    expected: `train a = 4; train b = 5; train c = ${BIG}`,
    before: 'train a = 4; train b = 5; train c = 9007199254740992',
  },
  {
    name: 'whole numbers beyond 2^53 keep their digits',
    files: {
      'rows.jsonl': [BIG, '-9007199254740993', '1000000000000000000007', '18446744073709551615'].map(qa),
    },
    expected: kept(BIG, '-9007199254740993', '1000000000000000000007', '18446744073709551615'),
    before:
      'train q9007199254740993 = 9007199254740992; train q-9007199254740993 = -9007199254740992; train q1000000000000000000007 = 1e+21; train q18446744073709551615 = 18446744073709552000',
  },
  {
    name: 'fractions keep the digits that they are written with',
    files: { 'rows.jsonl': ['0.30000000000000000001', '3.14159265358979323846', '0.1'].map(qa) },
    expected: kept('0.30000000000000000001', '3.14159265358979323846', '0.1'),
    before:
      'train q0.30000000000000000001 = 0.3; train q3.14159265358979323846 = 3.141592653589793; train q0.1 = 0.1',
  },
  {
    name: 'what no double reaches keeps its exponent',
    files: { 'rows.jsonl': ['1e400', '1e-400'].map(qa) },
    expected: kept('1e400', '1e-400'),
    before: 'train q1e-400 = 0; refused 1 answer',
  },
  {
    name: 'numbers that JavaScript prints with an exponent are written out',
    files: {
      'rows.jsonl': [
        '{"question": "a", "answer": 1e21}',
        '{"question": "b", "answer": 1e-7}',
        '{"question": "c", "answer": 2.5e22}',
      ],
    },
    expected: 'train a = 1000000000000000000000; train b = 0.0000001; train c = 25000000000000000000000',
    before: 'train a = 1e+21; train b = 1e-7; train c = 2.5e+22',
  },
  {
    name: 'two answers that are one double contradict one another',
    files: {
      'rows.jsonl': ['{"question": "a", "answer": 9007199254740992}', `{"question": "a", "answer": ${BIG}}`],
    },
    expected: 'train a = 9007199254740992; refused 2 answer',
    before: 'train a = 9007199254740992',
  },
  {
    name: 'an answer that is text stays as it is written',
    files: {
      'rows.jsonl': [
        { question: 'a', answer: '007' },
        { question: 'b', answer: '1.50' },
        { question: 'c', answer: '1e3' },
      ],
    },
    expected: 'train a = 007; train b = 1.50; train c = 1e3',
  },
  {
    name: 'true, a list and an object are no answer',
    files: { 'rows.jsonl': [qa('1'), qa('true'), qa('[1]'), '{"question": "a", "answer": {"x": 1}}'] },
    expected: `${kept('1')}; refused 2 answer; refused 3 answer; refused 4 answer`,
  },
  {
    name: 'arguments of tests keep their digits, as an object and as JSON in a text',
    files: {
      'rows.jsonl': [
        `{"prompt": "a", "verification_info": ${function_call(BIG)}}`,
        JSON.stringify({ prompt: 'b', verification_info: function_call(BIG) }),
      ],
    },
    expected: ['a', 'b']
      .map((prompt) => `train ${prompt} = 1 tests [code] {"verification_info":${function_call(BIG)}}`)
      .join('; '),
    before:
      'train a = 1 tests [code] {"verification_info":{"language":"python","test_cases":[{"type":"function_call","fn_name":"f","input":[9007199254740992],"output":993}]}}; train b = 1 tests [code] {"verification_info":{"language":"python","test_cases":[{"type":"function_call","fn_name":"f","input":[9007199254740992],"output":993}]}}',
  },
  {
    name: 'fractions of tests keep their digits',
    files: {
      'rows.jsonl': [`{"prompt": "a", "verification_info": ${function_call('0.30000000000000000001')}}`],
    },
    expected: `train a = 1 tests [code] {"verification_info":${function_call('0.30000000000000000001')}}`,
    before:
      'train a = 1 tests [code] {"verification_info":{"language":"python","test_cases":[{"type":"function_call","fn_name":"f","input":[0.3],"output":993}]}}',
  },
  {
    name: 'official tests within JSON in a text',
    files: {
      'rows.jsonl': [
        JSON.stringify({
          description: 'Add.',
          official_tests: '[{"input": "9007199254740993", "output": "1"}]',
        }),
      ],
    },
    expected:
      'train Add.\n\nWrite a program in python that reads standard input and writes standard output. = 1 tests [code] ' +
      '{"verification_info":{"language":"python","test_cases":[{"type":"stdin_stdout","input":"9007199254740993","output":"1"}]}}',
  },
  {
    name: 'numbers of an entry keep their digits',
    files: {
      'rows.jsonl': [
        `{"problem": "a", "answer": "1", "domain": "text", "entry": {"limit": ${BIG}, "share": 0.1}}`,
      ],
    },
    expected: `train a = 1 [text] {"limit":${BIG},"share":0.1}`,
    before: 'train a = 1 [text] {"limit":9007199254740992,"share":0.1}',
  },
  {
    name: 'a JSON array',
    files: { 'rows.json': [`[{"question": "a", "answer": ${BIG}}, {"question": "b", "answer": 7}]`] },
    expected: `train a = ${BIG}; train b = 7`,
    before: 'train a = 9007199254740992; train b = 7',
  },
  {
    name: 'Parquet: whole numbers of 64 bits, small and large',
    files: {
      'rows.parquet': parquet(
        { name: 'question', data: ['a', 'b'] },
        { name: 'answer', data: [7n, 9007199254740993n], type: 'INT64' },
      ),
    },
    expected: `train a = 7; train b = ${BIG}`,
  },
  {
    name: 'Parquet: whole numbers of 32 bits beside a problem',
    files: {
      'rows.parquet': parquet({ name: 'problem', data: ['a'] }, { name: 'answer', data: [7], type: 'INT32' }),
    },
    expected: 'train a = 7',
    before: 'refused 1 answer',
  },
  {
    name: 'Parquet: fractions of 64 bits',
    files: { 'rows.parquet': given({ data: [0.1], type: 'DOUBLE' }) },
    expected: 'train a = 0.1',
  },
  {
    name: 'Parquet: fractions of 32 bits say no more digits than they have',
    files: { 'rows.parquet': given({ data: [0.1], type: 'FLOAT' }) },
    expected: 'train a = 0.1',
    before: 'train a = 0.10000000149011612',
  },
  {
    name: 'Parquet: a column of JSON',
    files: {
      'rows.parquet': parquet(
        { name: 'prompt', data: ['a'] },
        {
          name: 'verification_info',
          data: [
            {
              language: 'python',
              test_cases: [{ type: 'function_call', fn_name: 'f', input: [1], output: 993 }],
            },
          ],
          type: 'JSON',
        },
      ),
    },
    expected: `train a = 1 tests [code] {"verification_info":${function_call('1')}}`,
  },
  {
    name: 'multiple choice: options that are numbers, the answer a place or a text',
    files: {
      'rows.jsonl': [
        { question: 'Which of these?', choices: ['none of these', 3, 4], answer: 1 },
        { question: 'And which?', choices: ['none of these', 5], answer: '5' },
      ],
    },
    expected:
      'train Which of these?\nA. none of these\nB. 3\nC. 4 = B [science]; train And which?\nA. none of these\nB. 5 = B [science]',
    before: 'refused 1 choices; refused 2 choices',
  },
  {
    name: 'multiple choice: a label that is a number',
    files: {
      'rows.jsonl': [
        { question: 'Which?', choices: { text: ['x', 'none of these'], label: ['1', '2'] }, answerKey: 2 },
        { question: 'And which?', choices: { text: ['x', 'none of these'], label: [1, 2] }, answerKey: '2' },
      ],
    },
    expected:
      'train Which?\nA. x\nB. none of these = B [science]; train And which?\nA. x\nB. none of these = B [science]',
    before: 'refused 1 answerKey; refused 2 choices',
  },
];
