import { parquet, type Shape } from './verdict.ts';

const qa = (question: string, more: object = {}) => ({ question, answer: '1', ...more });
const own = (problem: string, more: object = {}) => ({ problem, answer: '1', domain: 'math', ...more });
const chat = (question: string, more: object = {}) => ({
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: 'yes' },
  ],
  ...more,
});
const questions = (...data: string[]) =>
  parquet({ name: 'question', data }, { name: 'answer', data: data.map(() => '1') });

/** Which rows are trained on, and which are held out. */
export const shapes: Shape[] = [
  {
    name: 'question and answer: the row’s own split counts',
    files: { 'rows.jsonl': [qa('a', { split: 'train' }), qa('b', { split: 'test' })] },
    expected: 'train a = 1; test b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'validation, dev, Test and their like are held out, whatever their case',
    files: {
      'rows.jsonl': [
        'validation',
        'dev',
        'Test',
        'EVAL',
        'Evaluation',
        'valid',
        'val',
        'held-out',
        'heldout',
      ].map((split, i) => qa(`p${i}`, { split })),
    },
    expected: Array.from({ length: 9 }, (_, i) => `test p${i} = 1`).join('; '),
    before:
      'train p0 = 1; train p1 = 1; train p2 = 1; train p3 = 1; train p4 = 1; train p5 = 1; train p6 = 1; train p7 = 1; train p8 = 1',
  },
  {
    name: 'train, Training and TRAIN are trained on, also where the file’s name says otherwise',
    files: { 'test.jsonl': ['train', 'Training', 'TRAIN '].map((split, i) => qa(`p${i}`, { split })) },
    expected: 'train p0 = 1; train p1 = 1; train p2 = 1',
    before: 'test p0 = 1; test p1 = 1; test p2 = 1',
  },
  {
    name: 'a split with a suffix says what its words say',
    files: { 'rows.jsonl': [qa('a', { split: 'train_v2' }), qa('b', { split: 'validation_matched' })] },
    expected: 'train a = 1; test b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'an unknown split is refused by name',
    files: { 'rows.jsonl': [qa('a', { split: 'train' }), qa('b', { split: 'easy' }), qa('c', { split: 0 })] },
    expected: 'train a = 1; refused 2 split; refused 3 split',
    before: 'train a = 1; train b = 1; train c = 1',
  },
  {
    name: 'a split of null or without a word is none',
    files: { 'test.jsonl': [qa('a', { split: null }), qa('b', { split: ' ' }), qa('c')] },
    expected: 'test a = 1; test b = 1; test c = 1',
  },
  {
    name: 'the column may be called Split',
    files: { 'rows.jsonl': [qa('a', { Split: 'Test' }), qa('b', { SPLIT: 'train' })] },
    expected: 'test a = 1; train b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'the project’s own layout: dev is held out, as anywhere',
    files: {
      'rows.jsonl': [own('a', { split: 'train' }), own('b', { split: 'test' }), own('c', { split: 'dev' })],
    },
    expected: 'train a = 1; test b = 1; test c = 1',
    before: 'train a = 1; test b = 1; refused 3 split',
  },
  {
    name: 'gsm8k',
    files: { 'rows.jsonl': [{ question: 'a', answer: 'so\n#### 1', split: 'eval' }] },
    expected: 'test a = 1',
    before: 'train a = 1',
  },
  {
    name: 'open-r1-math',
    files: { 'rows.jsonl': [{ problem: 'a', answer: '1', solution: '\\boxed{1}', split: 'heldout' }] },
    expected: 'test a = 1',
    before: 'train a = 1',
  },
  {
    name: 'verl says it in extra_info',
    files: {
      'rows.jsonl': [
        { prompt: 'a', reward_model: { ground_truth: '1' }, extra_info: { split: 'train', index: 0 } },
        { prompt: 'b', reward_model: { ground_truth: '1' }, extra_info: { split: 'test', index: 1 } },
        { prompt: 'c', reward_model: { ground_truth: '1' }, extra_info: '{"split": "val"}' },
      ],
    },
    expected: 'train a = 1; test b = 1; test c = 1',
    before: 'train a = 1; train b = 1; train c = 1',
  },
  {
    name: 'code with tests',
    files: {
      'rows.jsonl': [
        {
          prompt: 'a',
          verification_info: { language: 'python', test_cases: [{ input: '', output: '1' }] },
          split: 'test',
        },
      ],
    },
    expected:
      'test a = 1 tests [code] {"verification_info":{"language":"python","test_cases":[{"input":"","output":"1"}]}}',
    before:
      'train a = 1 tests [code] {"verification_info":{"language":"python","test_cases":[{"input":"","output":"1"}]}}',
  },
  {
    name: 'multiple choice',
    files: {
      'rows.jsonl': [
        { question: 'Which?', choices: ['x', 'all of the above'], answer: 1, split: 'validation' },
      ],
    },
    expected: 'test Which?\nA. x\nB. all of the above = B [science]',
    before: 'train Which?\nA. x\nB. all of the above = B [science]',
  },
  {
    name: 'reasoning-gym',
    files: {
      'rows.jsonl': [{ question: 'gcd?', answer: '2', metadata: { source_dataset: 'gcd' }, split: 'test' }],
    },
    expected: 'test gcd? = 2 [reasoning-gym/gcd] {"answer":"2","metadata":{"source_dataset":"gcd"}}',
    before: 'train gcd? = 2 [reasoning-gym/gcd] {"answer":"2","metadata":{"source_dataset":"gcd"}}',
  },
  {
    name: 'preferences keep a split where one is held out',
    files: {
      'rows.jsonl': [
        { prompt: 'a', chosen: 'x', rejected: 'y', split: 'train' },
        { prompt: 'b', chosen: 'x', rejected: 'y', split: 'Test' },
      ],
    },
    expected: 'a > x > y > train; b > x > y > test',
    before: 'a > x > y; b > x > y',
  },
  {
    name: 'preferences that are all to train on leave the held-out part to the stage',
    files: { 'train.jsonl': [{ prompt: 'a', chosen: 'x', rejected: 'y', split: 'train' }] },
    expected: 'a > x > y',
  },
  {
    name: 'labels in a folder of held-out rows',
    files: {
      'train/0.jsonl': [{ prompt: 'a', response: 'x', safe: true }],
      'test/0.jsonl': [{ prompt: 'b', response: 'y', safe: false }],
    },
    expected: 'b > y > false > test; a > x > true > train',
    before: 'b > y > false; a > x > true',
  },
  {
    name: 'examples are all trained on, so a held-out one is refused',
    files: {
      'rows.jsonl': [
        { problem: 'a', response: 'x', split: 'train' },
        { problem: 'b', response: 'y', split: 'test' },
      ],
    },
    expected: 'a > x > general; refused 2 split',
    before: 'a > x > general; b > y > general',
  },
  {
    name: 'conversations whose splits are train_sft and test_sft',
    files: { 'rows.jsonl': [chat('a', { split: 'train_sft' }), chat('b', { split: 'test_sft' })] },
    expected: 'a > yes > general; refused 2 split',
    before: 'a > yes > general; b > yes > general',
  },
  {
    name: 'examples of a held-out file are refused',
    files: { 'train.jsonl': [chat('a')], 'test.jsonl': [chat('b')] },
    expected: 'a > yes > general; refused test.jsonl:1 split',
    before: 'b > yes > general; a > yes > general',
  },
  {
    name: 'examples of a held-out file are taken where --split says so',
    files: { 'test.jsonl': [chat('b')] },
    options: { split: 'train' },
    expected: 'b > yes > general',
  },
  {
    name: 'folders of JSON lines name the split',
    files: { 'train/data.jsonl': [qa('a')], 'test/data.jsonl': [qa('b')], 'eval/data.jsonl': [qa('c')] },
    expected: 'test c = 1; test b = 1; train a = 1',
    before: 'train c = 1; train b = 1; train a = 1',
  },
  {
    name: 'folders of Parquet name the split, as data set servers lay them out',
    files: {
      'default/train/0000.parquet': questions('a'),
      'default/test/0000.parquet': questions('b'),
      'default/validation/0000.parquet': questions('c'),
    },
    expected: 'test b = 1; train a = 1; test c = 1',
    before: 'train b = 1; train a = 1; train c = 1',
  },
  {
    name: 'folders of the paths given name the split',
    files: { 'train/data.jsonl': [qa('a')], 'test/data.jsonl': [qa('b')] },
    paths: ['train/data.jsonl', 'test/data.jsonl'],
    expected: 'train a = 1; test b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'the folder given is itself one of held-out rows',
    files: { 'data/validation/0.jsonl': [qa('a')] },
    paths: ['data/validation'],
    expected: 'test a = 1',
    before: 'train a = 1',
  },
  {
    name: 'the folder given only has a split’s word within its name',
    files: { 'my-eval-notes/0.jsonl': [qa('a')], 'gsm8k-test/0.jsonl': [qa('b')] },
    paths: ['my-eval-notes/0.jsonl', 'gsm8k-test'],
    expected: 'train a = 1; test b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'a folder above the split’s files',
    files: { 'dev/part-1/a.jsonl': [qa('a')], 'training/part-1/a.jsonl': [qa('b')] },
    expected: 'test a = 1; train b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'the nearest name counts: a file of training rows in a folder called test',
    files: { 'test/train.jsonl': [qa('a')], 'train/test.jsonl': [qa('b')] },
    expected: 'train a = 1; test b = 1',
  },
  {
    name: 'a folder by Hive’s naming',
    files: { 'split=train/0.jsonl': [qa('a')], 'split=test/0.jsonl': [qa('b')] },
    expected: 'test b = 1; train a = 1',
    before: 'train b = 1; train a = 1',
  },
  {
    name: 'file names: shards, capitals, words joined otherwise',
    files: {
      'gsm8kTest.jsonl': [qa('a')],
      'math_held_out.jsonl': [qa('b')],
      'MATH.DEV.jsonl': [qa('c')],
      'validation-00000-of-00001.parquet': questions('d'),
    },
    expected: 'test c = 1; test a = 1; test b = 1; test d = 1',
    before: 'test c = 1; train a = 1; train b = 1; test d = 1',
  },
  {
    name: 'file names that only look like a split’s',
    files: {
      'contest.jsonl': [qa('a')],
      'latest.jsonl': [qa('b')],
      'developers/medieval.jsonl': [qa('c')],
      'values.jsonl': [qa('d')],
      'tests.jsonl': [qa('e')],
    },
    expected: 'train a = 1; train c = 1; train b = 1; train e = 1; train d = 1',
  },
  {
    name: 'the row’s own split counts before --split, and --split before folders',
    files: { 'test/data.jsonl': [qa('a'), qa('b', { split: 'dev' })] },
    options: { split: 'train' },
    expected: 'train a = 1; test b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'a share is held out only of what nothing puts in a split',
    files: { 'train.jsonl': [qa('a'), qa('b')], 'more.jsonl': [qa('c')] },
    options: { holdOut: 0.999999 },
    expected: 'test c = 1; train a = 1; train b = 1',
  },
  {
    name: 'a JSON array',
    files: { 'rows.json': [JSON.stringify([qa('a', { split: 'test' }), qa('b', { split: 'train' })])] },
    expected: 'test a = 1; train b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'a column of Parquet',
    files: {
      'rows.parquet': parquet(
        { name: 'question', data: ['a', 'b'] },
        { name: 'answer', data: ['1', '1'] },
        { name: 'split', data: ['Validation', 'train'] },
      ),
    },
    expected: 'test a = 1; train b = 1',
    before: 'train a = 1; train b = 1',
  },
  {
    name: 'a problem that is held out is not trained on: the training row is refused, whichever comes first',
    files: {
      'a-train.jsonl': [qa('a'), qa('b')],
      'b-test.jsonl': [qa('b'), qa('c')],
      'c-train.jsonl': [qa('c'), qa('d')],
    },
    expected:
      'train a = 1; test b = 1; test c = 1; train d = 1; refused a-train.jsonl:2 split; refused c-train.jsonl:1 split',
    before:
      'train a = 1; train b = 1; test c = 1; train d = 1; refused b-test.jsonl:1 split; refused c-train.jsonl:1 split',
  },
];
