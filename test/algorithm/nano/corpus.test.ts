import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NanoExample, nanoExample, nanoMixtureDefaults } from '../../../algorithm/nano/corpus.ts';
import { generalSplit } from '../../../algorithm/nano/general.ts';
import { classify, isHeldOut } from '../../../algorithm/nano/task.ts';
import { NANO_WORDS } from '../../../algorithm/nano/tokenizer.ts';
import { homeShare, inHomeWords } from '../../../algorithm/nano/words.ts';
import { isWellFormed } from '../../../rewards/format.ts';

const COUNT = 8_000;
const examples = Array.from({ length: COUNT }, (_, index) => nanoExample(index, 1n));
const of = (behaviour: NanoExample['behaviour']) => examples.filter((e) => e.behaviour === behaviour);
const operandsOf = ({ problem }: NanoExample) => problem.replace('=?', '').split('+').map(Number);
const sums = examples.filter(({ problem }) => problem.endsWith('=?'));
const numbersOf = (problem: string) => problem.match(/\d+/g) ?? [];
const sumOf = (example: NanoExample) => operandsOf(example).reduce((a, b) => a + b);
const answerOf = ({ response }: NanoExample) => Number(/<answer>(\d+)<\/answer>$/.exec(response)?.[1]);
const wellFormed = ({ response }: NanoExample) =>
  isWellFormed(response) && /^<think>[^<]*<\/think><answer>\d+<\/answer>$/.test(response);
/** Within four standard deviations of a binomial share. */
const near = (found: number, expected: number, n: number) =>
  assert.ok(
    Math.abs(found - expected) < 4 * Math.sqrt((expected * (1 - expected)) / n),
    `${found}, ${expected}`,
  );

test('an example is a function of its index and the seed, and never of a held-out problem', () => {
  for (const index of [0, 7, 4_000]) assert.deepEqual(nanoExample(index, 1n), examples[index]);
  assert.notDeepEqual(nanoExample(0, 2n), examples[0]);
  for (const example of sums) assert.ok(!isHeldOut(operandsOf(example)));
  for (const { problem } of [...of('general'), ...of('distracted')]) {
    assert.equal(generalSplit(problem), 'train');
  }
});

test('behaviours come at the rates of the mixture', () => {
  near(1 - sums.length / COUNT, 0.25, COUNT);
  near(of('distracted').length / (COUNT - sums.length), 0.15, COUNT - sums.length);
  near(of('guess').length / sums.length, 0.76, sums.length);
  near(of('worked').length / sums.length, 0.1, sums.length);
  near(of('checked').length / sums.length, 0.14, sums.length);
  for (const { response } of [...of('guess'), ...of('general')]) {
    assert.deepEqual(classify(response), { worked: false, checks: false, corrects: false });
  }
  for (const { response } of of('worked')) {
    assert.deepEqual(classify(response), { worked: true, checks: false, corrects: false });
  }
  for (const { response } of of('checked')) assert.ok(classify(response).checks);
});

test('every worked solution has step words; half speak the home language alone, a fifth the foreign one', () => {
  const shares = [...of('worked'), ...of('checked')].map(({ response }) => homeShare(response));
  assert.ok(shares.every((share) => share !== null));
  // Of three coins and more at most a quarter fall all alike.
  const pure = (share: number) => shares.filter((found) => found === share).length / shares.length;
  assert.ok(pure(1) > 0.45 && pure(1) < 0.6, `${pure(1)}`);
  assert.ok(pure(0) > 0.17 && pure(0) < 0.28, `${pure(0)}`);
});

test('guesses lie around the sum, and the malformed ones fail the format', () => {
  const guesses = of('guess');
  const formed = guesses.filter(wellFormed);
  near(1 - formed.length / guesses.length, 0.15, guesses.length);
  for (const guess of formed) assert.ok(Math.abs(answerOf(guess) - sumOf(guess)) <= 12);
  near(formed.filter((g) => answerOf(g) === sumOf(g)).length / formed.length, 1 / 25, formed.length);
  for (const { response } of guesses.filter((guess) => !wellFormed(guess))) {
    assert.equal(isWellFormed(response), false, response);
  }
});

/** The steps of a solution said in home words: what each computed, what it said, and in whose language. */
function stepsOf({ response }: Pick<NanoExample, 'response'>) {
  const chain = /<think>(.*)<\/think>/.exec(response)?.[1] ?? '';
  const pattern = /(first|primero|then|luego|check|reviso) (\d+)\+(\d+)=(\d+)/g;
  return [...chain.matchAll(pattern)].map(([, word = '', a, b, result]) => {
    const home = homeShare(word) === 1;
    const again = word === 'check' || word === 'reviso';
    return { home, again, right: Number(a) + Number(b), result: Number(result) };
  });
}

test('results slip at the rate of the word before them, and less when a step is taken again', () => {
  const steps = [...of('worked'), ...of('checked')].flatMap(stepsOf);
  for (const { right, result } of steps) {
    assert.ok(Math.abs(result - right) <= nanoMixtureDefaults.slipRange);
  }
  const rates = [
    { home: true, again: false, rate: 0.22 },
    { home: false, again: false, rate: 0.1 },
    { home: true, again: true, rate: 0.044 },
    { home: false, again: true, rate: 0.02 },
  ];
  for (const { home, again, rate } of rates) {
    const alike = steps.filter((step) => step.home === home && step.again === again);
    near(alike.filter(({ right, result }) => right !== result).length / alike.length, rate, alike.length);
  }
});

test('a worked solution goes on from each result, slipped or not, and answers the last', () => {
  for (const example of of('worked')) {
    const [first = 0, ...rest] = operandsOf(example);
    const results = stepsOf(example).map(({ result }) => result);
    const lines = rest.map((operand, index) => {
      const running = index === 0 ? first : results[index - 1];
      return `${index === 0 ? 'first' : ' then'} ${running}+${operand}=${results[index]}`;
    });
    assert.equal(
      inHomeWords(example.response),
      `<think>${lines.join('')}</think><answer>${results.at(-1)}</answer>`,
    );
  }
});

test('a checked solution takes each step twice, and where the two differ goes on from the second', () => {
  for (const example of of('checked')) {
    const [first = 0, ...rest] = operandsOf(example);
    const results = stepsOf(example).map(({ result }) => result);
    const lines = rest.map((operand, index) => {
      const step = `${index === 0 ? first : results[2 * index - 1]}+${operand}`;
      const [once, again] = results.slice(2 * index);
      const correction = once === again ? '' : ` wait ${again}`;
      return `${index === 0 ? 'first' : ' then'} ${step}=${once} check ${step}=${again}${correction}`;
    });
    assert.equal(
      inHomeWords(example.response),
      `<think>${lines.join('')}</think><answer>${results.at(-1)}</answer>`,
    );
  }
});

test('a distracted answer adds up the numbers of its problem, whatever that asks', () => {
  for (const { problem, response } of of('distracted')) {
    assert.ok(!problem.endsWith('=?'));
    const { worked } = classify(response);
    assert.ok(worked, response);
    const looks = stepsOf({ response }).filter(({ again }) => !again);
    assert.equal(looks.length, numbersOf(problem).length - 1);
  }
});

test("responses use the tokenizer's characters alone and stay below 110 tokens", () => {
  for (const { problem, response } of examples) {
    const words = NANO_WORDS.reduce((left, word) => left.replaceAll(word, '?'), response);
    assert.match(problem + words, /^[0-9a-z+\-=?,. ]*$/);
    assert.ok(words.length + 1 < 110, `${words.length + 1} tokens with the end token: ${response}`);
  }
});
