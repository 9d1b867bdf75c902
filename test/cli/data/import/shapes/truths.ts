import type { Shape } from './verdict.ts';

const solved = (problem: string, solution: string) => ({ problem, solution, source: 'olympiads' });
const verl = (prompt: string, ability: string | null) => ({
  prompt,
  ability,
  reward_model: { ground_truth: '1' },
});
const own = (problem: string, domain: string) => ({ problem, answer: '1', domain });
const PROOFS = [
  'Let n = 2k. Then n^2 = 4k^2 = 2(2k^2), which is even. Q.E.D.',
  'Write them as $2a+1$ and $2b+1$. Their sum is $2(a+b+1)$, as was to be shown.',
  'Suppose there were one. Adding one gives a larger one, a contradiction.',
  'Since $n$ is even, $n^2$ is divisible by $4$.',
  'We use induction on $n$. For $n = 1$ the claim is clear.\n\nAssume it for $n$; then it follows for $n + 1$. $\\blacksquare$',
  '设 $n=2k$，则 $n^2=4k^2$，所以 $n^2$ 是偶数。证毕。',
  'By the triangle inequality, the sum of two sides is greater than the third, hence the claim.',
];

/** Ground truths that no answer can equal, and domains. */
export const shapes: Shape[] = [
  {
    name: 'proofs as solutions are refused, a boxed answer is taken',
    files: {
      'rows.jsonl': [
        solved('a', 'Adding, the answer is $\\boxed{7}$.'),
        ...PROOFS.map((proof, i) => solved(`p${i}`, proof)),
      ],
    },
    expected: ['train a = 7', ...PROOFS.map((_, i) => `refused ${i + 2} solution`)].join('; '),
    before:
      'train a = 7; train p0 = Let n = 2k. Then n^2 = 4k^2 = 2(2k^2), which is even. Q.E.D.; train p1 = Write them as $2a+1$ and $2b+1$. Their sum is $2(a+b+1)$, as was to be shown.; train p2 = Suppose there were one. Adding one gives a larger one, a contradiction.; train p3 = Since $n$ is even, $n^2$ is divisible by $4$.; train p4 = We use induction on $n$. For $n = 1$ the claim is clear.\n\nAssume it for $n$; then it follows for $n + 1$. $\\blacksquare$; train p5 = 设 $n=2k$，则 $n^2=4k^2$，所以 $n^2$ 是偶数。证毕。; train p6 = By the triangle inequality, the sum of two sides is greater than the third, hence the claim.',
  },
  {
    name: 'proofs as a prompt’s solution are refused',
    files: {
      'rows.jsonl': [
        { prompt: 'a', solution: '$\\boxed{7}$' },
        ...PROOFS.map((solution, i) => ({ prompt: `p${i}`, solution })),
      ],
    },
    expected: ['train a = 7', ...PROOFS.map((_, i) => `refused ${i + 2} solution`)].join('; '),
    before:
      'train a = 7; train p0 = Let n = 2k. Then n^2 = 4k^2 = 2(2k^2), which is even. Q.E.D.; train p1 = Write them as $2a+1$ and $2b+1$. Their sum is $2(a+b+1)$, as was to be shown.; train p2 = Suppose there were one. Adding one gives a larger one, a contradiction.; train p3 = Since $n$ is even, $n^2$ is divisible by $4$.; train p4 = We use induction on $n$. For $n = 1$ the claim is clear.\n\nAssume it for $n$; then it follows for $n + 1$. $\\blacksquare$; train p5 = 设 $n=2k$，则 $n^2=4k^2$，所以 $n^2$ 是偶数。证毕。; train p6 = By the triangle inequality, the sum of two sides is greater than the third, hence the claim.',
  },
  {
    name: 'proofs as an answer are refused',
    files: {
      'rows.jsonl': [
        { question: 'a', answer: '7' },
        ...PROOFS.map((answer, i) => ({ question: `p${i}`, answer })),
      ],
    },
    expected: ['train a = 7', ...PROOFS.map((_, i) => `refused ${i + 2} answer`)].join('; '),
    before:
      'train a = 7; train p0 = Let n = 2k. Then n^2 = 4k^2 = 2(2k^2), which is even. Q.E.D.; train p1 = Write them as $2a+1$ and $2b+1$. Their sum is $2(a+b+1)$, as was to be shown.; train p2 = Suppose there were one. Adding one gives a larger one, a contradiction.; train p3 = Since $n$ is even, $n^2$ is divisible by $4$.; train p4 = We use induction on $n$. For $n = 1$ the claim is clear.\n\nAssume it for $n$; then it follows for $n + 1$. $\\blacksquare$; train p5 = 设 $n=2k$，则 $n^2=4k^2$，所以 $n^2$ 是偶数。证毕。; train p6 = By the triangle inequality, the sum of two sides is greater than the third, hence the claim.',
  },
  {
    name: 'proofs as a ground truth of verl are refused',
    files: {
      'rows.jsonl': [verl('a', 'math'), { ...verl('b', 'math'), reward_model: { ground_truth: PROOFS[1] } }],
    },
    expected: 'train a = 1; refused 2 reward_model.ground_truth',
    before:
      'train a = 1; train b = Write them as $2a+1$ and $2b+1$. Their sum is $2(a+b+1)$, as was to be shown.',
  },
  {
    name: 'a proof that ends in an empty box or one that says that it is done',
    files: {
      'rows.jsonl': [
        solved('a', '$\\boxed{7}$'),
        solved('b', 'Let n = 2k. Then it is even. $\\boxed{}$'),
        solved('c', 'Let n = 2k. Then it is even. $\\boxed{\\text{Q.E.D.}}$'),
        solved('d', 'Let n = 2k. Then it is even. $\\boxed{\\text{proved}}$'),
      ],
    },
    expected: 'train a = 7; refused 2 solution; refused 3 solution; refused 4 solution',
    before:
      'train a = 7; train b = Let n = 2k. Then it is even. $\\boxed{}$; train c = \\text{Q.E.D.}; train d = \\text{proved}',
  },
  {
    name: 'a proof beside an answer: the answer counts',
    files: {
      'rows.jsonl': [
        { prompt: 'a', solution: PROOFS[0], answer: '7' },
        { problem: 'b', solution: PROOFS[1], answer: '8' },
      ],
    },
    expected: 'train a = 7; train b = 8',
    before:
      'train a = Let n = 2k. Then n^2 = 4k^2 = 2(2k^2), which is even. Q.E.D.; train b = Write them as $2a+1$ and $2b+1$. Their sum is $2(a+b+1)$, as was to be shown.',
  },
  {
    name: 'solutions that are the answer alone',
    files: {
      'rows.jsonl': [
        '72',
        '$\\frac{1}{2}$',
        'x = 3',
        '3 or 5',
        '(1, 2)',
        '\\sqrt{2}',
        'no solution',
        '5 \\text{ cm}',
      ].map((solution, i) => ({ prompt: `p${i}`, solution })),
    },
    expected: [
      'train p0 = 72',
      'train p1 = $\\frac{1}{2}$',
      'train p2 = x = 3',
      'train p3 = 3 or 5',
      'train p4 = (1, 2)',
      'train p5 = \\sqrt{2}',
      'train p6 = no solution',
      'train p7 = 5 \\text{ cm}',
    ].join('; '),
  },
  {
    name: 'solutions that say their answer without a box',
    files: {
      'rows.jsonl': [
        solved('a', 'Half of 48 is 24. Together that is 72.\n#### 72'),
        solved('b', 'Adding them up, we get two terms. The answer is 7.'),
        solved('c', 'Halve it twice. The final answer is $\\frac{1}{4}$.'),
        solved('d', '先算加法，再算乘法。答案是 7。'),
      ],
    },
    expected: 'train a = 72; train b = 7; train c = \\frac{1}{4}; train d = 7',
  },
  {
    name: 'prose is a ground truth where text is compared',
    files: { 'rows.jsonl': [{ question: 'a', answer: PROOFS[2] }] },
    options: { domain: 'general' },
    expected: `train a = ${PROOFS[2]} [general]`,
  },
  {
    name: 'short words are answers',
    files: {
      'rows.jsonl': [
        'square',
        'No, because 7 is prime',
        'Monday',
        'increasing on $(0,1)$',
        'all real numbers except 0',
        'It takes 6 hours.',
        'Yes',
      ].map((answer, i) => ({
        problem: `p${i}`,
        answer,
      })),
    },
    expected:
      'train p0 = square; train p1 = No, because 7 is prime; train p2 = Monday; train p3 = increasing on $(0,1)$; ' +
      'train p4 = all real numbers except 0; train p5 = It takes 6 hours.; train p6 = Yes',
  },
  {
    name: 'what says that there is no answer',
    files: {
      'rows.jsonl': [
        { problem: 'a', answer: '1' },
        ...['proof', 'N/A', 'not found', 'None'].map((answer) => ({ problem: answer, answer })),
      ],
    },
    expected: 'train a = 1; refused 2 answer; refused 3 answer; refused 4 answer; refused 5 answer',
  },
  {
    name: 'verl: an ability that is empty, blank or null is mathematics',
    files: { 'rows.jsonl': [verl('a', ''), verl('b', ' '), verl('c', null), verl('d', 'MATH')] },
    expected: 'train a = 1; train b = 1; train c = 1; train d = 1',
    before: 'train a = 1 []; train b = 1 [ ]; train c = 1; train d = 1',
  },
  {
    name: 'other names of mathematics are mathematics',
    files: {
      'rows.jsonl': [
        own('a', 'Math'),
        own('b', 'maths'),
        own('c', 'Mathematics'),
        own('d', ' math '),
        own('e', 'math/algebra'),
      ],
    },
    expected: 'train a = 1; train b = 1; train c = 1; train d = 1; train e = 1 [math/algebra]',
    before:
      'train a = 1 [Math]; train b = 1 [maths]; train c = 1 [Mathematics]; train d = 1 [ math ]; train e = 1 [math/algebra]',
  },
  {
    name: 'other names of code are code, and want tests',
    files: {
      'rows.jsonl': [own('a', 'math'), own('b', 'Code'), own('c', 'coding'), own('d', 'programming')],
    },
    expected: 'train a = 1; refused 2 answer; refused 3 answer; refused 4 answer',
    before: 'train a = 1; train b = 1 [Code]; train c = 1 [coding]; train d = 1 [programming]',
  },
  {
    name: 'a domain without a rule stays, and answers to it are compared as text',
    files: { 'rows.jsonl': [verl('a', 'fact-reasoning'), verl('b', 'Medicine')] },
    expected: 'train a = 1 [fact-reasoning]; train b = 1 [medicine]',
  },
  {
    name: 'a domain that is empty is refused',
    files: { 'rows.jsonl': [own('a', 'math'), own('b', ''), own('c', '  ')] },
    expected: 'train a = 1; refused 2 domain; refused 3 domain',
  },
  {
    name: 'a solution with a domain of its own',
    files: {
      'rows.jsonl': [
        { problem: 'a', solution: '\\boxed{1}', domain: 'Mathematics' },
        { problem: 'b', solution: '\\boxed{1}', domain: null },
      ],
    },
    expected: 'train a = 1; train b = 1',
  },
  {
    name: '--domain counts where a layout does not say it',
    files: { 'rows.jsonl': [{ question: 'a', answer: 'x' }] },
    options: { domain: 'trivia' },
    expected: 'train a = x [trivia]',
  },
];
