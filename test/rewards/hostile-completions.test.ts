/** Very long completions that repeat one unit: no verifier takes more than linear time. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { isNonAnswer } from '../../rewards/answer-text.ts';
import { afterThinking } from '../../rewards/chain-of-thought.ts';
import { extractCode } from '../../rewards/code/code-block.ts';
import { gradeText } from '../../rewards/domains.ts';
import { languageShare } from '../../rewards/language.ts';
import { logicVerifiers } from '../../rewards/logic/index.ts';
import { verifyValue } from '../../rewards/math/verify.ts';
import { reasoningGymTasks, scoreReasoningGym } from '../../rewards/reasoning-gym/score.ts';
import { scienceVerifier } from '../../rewards/science.ts';
import type { Graded } from '../../rewards/verifier.ts';
import { scored } from './support.ts';

const [SHORT, LONG] = [200_000, 400_000];
const RUNS = [
  ...[' ', '\n', ' \n', ',', '$', '\\', '"', "'", '`', '#', '7', '0,000,', 'a', '語', 'ﷺ', '⟦', '(1, '],
  ...['\\boxed{', '\\boxed{1} ', '\\[', '\\(', '\\text{', '####', '#### 1\n', '```', '```\n', '<answer>'],
  ...['A is wrong. ', '(A) ', 'A, ', '✓A ', 'answer: ', 'The answer is 12. ', 'wait, 3. ', 'or ', '1 or '],
];
const whole = (run: string) => run;
/** The parts of a completion where verifiers look for an answer. */
const PLACES = [
  whole,
  (run: string) => `<think>x</think><answer>${run}</answer>`,
  (run: string) => `So the answer is ${run}x`,
];

/** Minimum CPU time of a measurement; less is too inaccurate to show more than linear time. */
const FLOOR_SECONDS = 0.5;
/** For twice the length the time doubles where it is linear, and grows four-fold where it is quadratic. */
const MOST_GROWTH = 3;

type Work = (completion: string) => unknown;

async function cpuSeconds(work: Work, text: string): Promise<number> {
  const start = process.cpuUsage();
  await work(text);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

async function assertLinear(
  work: Work,
  places: readonly ((run: string) => string)[] = PLACES,
): Promise<void> {
  for (const run of RUNS) {
    for (const place of places) {
      const cost = (length: number) => cpuSeconds(work, place(run.repeat(length / run.length)));
      const grows = (short: number, long: number) => long > Math.max(FLOOR_SECONDS, MOST_GROWTH * short);
      let long = await cost(LONG);
      if (!grows(0, long)) continue;
      let short = await cost(SHORT);
      // Compilation and garbage collection disturb single measurements: the minimum counts.
      for (let again = 0; again < 2 && grows(short, long); again++) {
        short = Math.min(short, await cost(SHORT));
        long = Math.min(long, await cost(LONG));
      }
      assert.ok(!grows(short, long), `${short} s, then ${long} s: ${JSON.stringify(place(run))}`);
    }
  }
}

const respond = (grade: (response: string) => unknown) => (completion: string) =>
  grade(afterThinking(completion, { begun: false }) ?? '');

const CHOICES = { choices: ['a car', 'a train', 'a bus', 'red'], answer: 'B' };
const LOGIC: Record<string, object> = {
  countdown: { numbers: [9, 9, 9], target: 5 },
  puzzle24: { numbers: [9, 9, 9, 9] },
  'knights-knaves': { names: ['Ada'], statements: [['telling-truth', 0]] },
  zebra: { attributes: { name: ['Ann'] }, clues: [] },
  cipher: { cipher: { kind: 'atbash' }, cipherText: 'ABC' },
  'caesar-cipher': { cipher: { kind: 'caesar', rotation: 3 }, cipherText: 'ABC' },
  'output-prediction': { output: [1] },
};
const logic = (name: string) => (response: string) => logicVerifiers[name]?.verify(LOGIC[name], response);

const WORKS: Record<string, Work> = {
  'math, a number': respond((response) => verifyValue('12', response)),
  'math, a set': respond((response) => verifyValue('\\{1, 2\\}', response)),
  'math, words': respond((response) => verifyValue('red car', response)),
  'choice among texts': respond((response) => scienceVerifier.verify(CHOICES, response)),
  'choice among letters': respond((response) => scienceVerifier.verify({ answer: 'B' }, response)),
  'fences of code': (completion) => extractCode(completion, 'python'),
  'equal text': (completion) => gradeText('12', completion),
  ...Object.fromEntries(Object.keys(LOGIC).map((name) => [name, respond(logic(name))])),
};
/** Functions that read a whole text. */
const WORKS_ON_ALL: Record<string, Work> = {
  'no answer': isNonAnswer,
  format: (completionText) => scored('format', { completionText }),
  repetition: (completionText) => scored('repetition', { completionText }),
  language: (completion) => languageShare(completion, 'en'),
};

before(() => languageShare('The detector is loaded once.', 'en'));

for (const [name, work] of Object.entries(WORKS)) {
  test(`${name}: a completion that repeats one unit takes linear time`, () => assertLinear(work));
}
for (const [name, work] of Object.entries(WORKS_ON_ALL)) {
  test(`${name}: a completion that repeats one unit takes linear time`, () => assertLinear(work, [whole]));
}

test('reasoning-gym: a completion that repeats one unit takes linear time', async () => {
  const metadata = { numerator: 4, denominator: 6, simplified_numerator: 2, simplified_denominator: 3 };
  const grade = (task: string, response: string): Graded =>
    scoreReasoningGym(
      { question: '', answer: '1', metadata: { source_dataset: task, ...metadata } },
      response,
      { partial: true },
    );
  const tasks = Object.keys(reasoningGymTasks).filter((task) => 'score' in grade(task, '1'));
  assert.ok(tasks.length > 15, String(tasks));
  await assertLinear((completion) => tasks.map((task) => grade(task, completion)), [whole]);
});

test('every logic verifier is tested', () => {
  assert.deepEqual(Object.keys(LOGIC).sort(), Object.keys(logicVerifiers).sort());
});
