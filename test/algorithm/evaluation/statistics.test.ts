import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  consAtK,
  countReflections,
  majorityOf,
  passAt1,
  passAtK,
  reflectionWords,
  summarizeEvaluation,
  wilsonInterval,
} from '../../../algorithm/evaluation/statistics.ts';
import { drawsFrom } from '../../../algorithm/random/draws.ts';

const samples = (verdicts: (boolean | null)[]) => verdicts.map((correct) => ({ correct }));
const votes = (answers: (string | null)[], truth: string) =>
  answers.map((answer) => ({ answer, correct: answer === truth }));
const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('pass@1 is the mean over problems, with an interval over problems and not over samples', () => {
  const { value, interval } = passAt1([
    samples([true, true]),
    samples([false, false]),
    samples([true, false]),
  ]);
  close(value, 0.5);
  // deviation 1/2 over 3 problems: 0.5 ± 1.96·0.5/√3, cut to [0, 1]
  assert.deepEqual(interval, [0, 1]);
  const many = Array.from({ length: 100 }, (_, p) => samples([p % 2 === 0, p % 2 === 0]));
  close(passAt1(many).interval[1] - 0.5, (1.959964 * 0.5025189) / 10, 1e-6);
});

test('a policy that is right or wrong everywhere still has an interval and not a point', () => {
  const all = (correct: boolean) => passAt1(Array.from({ length: 256 }, () => samples([correct, correct])));
  assert.equal(all(true).value, 1);
  close(all(true).interval[0], 256 / (256 + 1.959964 ** 2));
  assert.equal(all(true).interval[1], 1);
  assert.equal(all(false).interval[0], 0);
  close(all(false).interval[1], 1 - 256 / (256 + 1.959964 ** 2));
});

test('the interval holds the true rate in about 95 of 100 evaluations', () => {
  let held = 0;
  for (let seed = 0n; seed < 400n; seed++) {
    const draws = drawsFrom(seed);
    // Easy and hard problems, half of each: the true pass@1 is (0.2 + 0.9) / 2.
    const samplesPK = Array.from({ length: 128 }, () => {
      const rate = draws.chance(0.5) ? 0.2 : 0.9;
      return samples(Array.from({ length: 8 }, () => draws.chance(rate)));
    });
    const [low, high] = passAt1(samplesPK).interval;
    if (low <= 0.55 && 0.55 <= high) held++;
  }
  assert.ok(held >= 366 && held <= 394, `${held} of 400`);
});

test('a sample without a verdict is neither right nor wrong', () => {
  close(passAt1([samples([true, null]), samples([null, null]), samples([false])]).value, 0.5);
  assert.throws(() => passAt1([samples([null])]), /expected a sample with a verdict/);
});

test("Wilson's interval meets a published case", () => {
  // Newcombe 1998, table I: 81 of 263 has 0.2553 … 0.3662
  const [low, high] = wilsonInterval(81 / 263, 263);
  close(low, 0.2553, 5e-5);
  close(high, 0.3662, 5e-5);
});

test('pass@k equals 1 − C(n−c, k) / C(n, k)', () => {
  const choose = (n: number, k: number): number => (k === 0 ? 1 : k > n ? 0 : (choose(n - 1, k - 1) * n) / k);
  for (let n = 1; n <= 12; n++) {
    for (let c = 0; c <= n; c++) {
      for (let k = 1; k <= n; k++) close(passAtK(n, c, k), 1 - choose(n - c, k) / choose(n, k));
      close(passAtK(n, c, 1), c / n);
    }
  }
  assert.throws(() => passAtK(4, 1, 5), /expected 1 ≤ k ≤ 4/);
});

test('cons@k takes the most frequent answer, and of equally frequent ones the one sampled first', () => {
  assert.equal(consAtK([votes(['7', '8', '8'], '8')]), 1);
  assert.equal(consAtK([votes(['7', '8', '8'], '7')]), 0);
  assert.equal(consAtK([votes(['7', '8', '8', '7'], '7')]), 1);
  assert.equal(consAtK([votes(['7', '8', '8', '7'], '8')]), 0);
  assert.equal(consAtK([votes(['1'], '1'), votes(['2'], '1')]), 0.5);
});

test('samples without an answer have no vote, and a problem without a vote is not right', () => {
  assert.equal(consAtK([votes([null, null, '8'], '8')]), 1);
  assert.equal(consAtK([votes([null, null], '8')]), 0);
  assert.equal(majorityOf(votes([null], '8')), undefined);
  assert.equal(majorityOf([{ answer: '8', correct: null }]), undefined);
});

test('the summary holds what the evaluation table shows', () => {
  const asked = { domain: 'nano-sums', language: null };
  const sample = {
    answer: '37',
    correct: true,
    wellFormed: true,
    tokens: 20,
    text: '7+15=22 check 22-15=7',
    ...asked,
  };
  const wrong = { answer: null, correct: false, wellFormed: false, tokens: 10, text: '7+15=22', ...asked };
  const summary = summarizeEvaluation([
    [sample, sample, wrong],
    [wrong, wrong, sample],
  ]);
  close(summary.passAt1, 0.5);
  assert.deepEqual(
    { ...summary, passAt1: 0, passAt1Interval: [0, 0], byDomain: Object.keys(summary.byDomain) },
    {
      problems: 2,
      k: 3,
      passAt1: 0,
      passAt1Interval: [0, 0],
      passAtK: 1,
      passAtKInterval: wilsonInterval(1, 2),
      consAtK: 1,
      consAtKInterval: wilsonInterval(1, 2),
      formatRate: 0.5,
      meanLength: 15,
      reflectionRate: 0.5,
      byDomain: ['nano-sums'],
      generalAbility: null,
      languageConsistency: null,
    },
  );
  assert.throws(() => summarizeEvaluation([]), /expected at least one sample/);
});

test("each of the paper's words counts, as a whole word and in any case", () => {
  for (const word of reflectionWords) assert.equal(countReflections(`so ${word.toUpperCase()}, then`), 1);
  assert.equal(countReflections('Wait. 7+15=23 check 23-15=8 wait 7+15=22'), 3);
  assert.equal(countReflections('checked, waiting, butter, errors, rewrong'), 0);
  assert.equal(countReflections(''), 0);
});

test("the nano base's foreign words for checking and waiting count like its home words", () => {
  assert.equal(countReflections('primero 7+15=23 reviso 7+15=22 espera 22 luego 22+3=25'), 2);
});
