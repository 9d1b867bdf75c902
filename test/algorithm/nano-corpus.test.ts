import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NanoExample, nanoExample, nanoMixtureDefaults } from '../../algorithm/nano-corpus.ts';
import { classify, isHeldOut } from '../../algorithm/nano-task.ts';
import { isWellFormed } from '../../rewards/format.ts';

const COUNT = 8_000;
const examples = Array.from({ length: COUNT }, (_, index) => nanoExample(index, 1n));
const of = (behaviour: NanoExample['behaviour']) => examples.filter((e) => e.behaviour === behaviour);
const operandsOf = ({ problem }: NanoExample) => problem.replace('=?', '').split('+').map(Number);
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

test('an example is a function of its index and the seed, and never of a held-out sum', () => {
  for (const index of [0, 7, 4_000]) assert.deepEqual(nanoExample(index, 1n), examples[index]);
  assert.notDeepEqual(nanoExample(0, 2n), examples[0]);
  for (const example of examples) assert.ok(!isHeldOut(operandsOf(example)));
});

test('behaviours come at the rates of the mixture', () => {
  near(of('guess').length / COUNT, 0.8, COUNT);
  near(of('worked').length / COUNT, 0.08, COUNT);
  near(of('checked').length / COUNT, 0.12, COUNT);
  for (const { response } of of('guess')) {
    assert.deepEqual(classify(response), { worked: false, checks: false, corrects: false });
  }
  for (const { response } of of('worked')) {
    assert.deepEqual(classify(response), { worked: true, checks: false, corrects: false });
  }
  for (const { response } of of('checked')) assert.ok(classify(response).checks);
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

test('worked solutions go on from a slip, and answer what they reach', () => {
  const worked = of('worked');
  let [steps, slips] = [0, 0];
  for (const example of worked) {
    const [first = 0, ...rest] = operandsOf(example);
    let running = first;
    const lines = /<think>(.*)<\/think>/.exec(example.response)?.[1]?.split(',') ?? [];
    for (const [index, line] of lines.entries()) {
      const result = Number(line.split('=')[1]);
      assert.equal(line, `${running}+${rest[index]}=${result}`);
      const error = Math.abs(result - running - (rest[index] ?? 0));
      assert.ok(error <= nanoMixtureDefaults.slipRange);
      steps++;
      if (error > 0) slips++;
      running = result;
    }
    assert.equal(lines.length, 3);
    assert.equal(answerOf(example), running);
  }
  near(slips / steps, 0.2, steps);
});

test('checked solutions take each step twice, go on from the second result where the two differ, and end right', () => {
  const checked = of('checked');
  let [steps, slips] = [0, 0];
  for (const example of checked) {
    const [first = 0, ...rest] = operandsOf(example);
    let running = first;
    const lines = /<think>(.*)<\/think>/.exec(example.response)?.[1]?.split(',') ?? [];
    assert.equal(lines.length, 3);
    for (const [index, line] of lines.entries()) {
      const operand = rest[index] ?? Number.NaN;
      const [, value = ''] = /^\d+\+\d+=(\d+) check /.exec(line) ?? [];
      const slipped = Number(value) !== running + operand;
      const second = `${running}+${operand}=${running + operand}`;
      const corrected = slipped ? ` wait ${running + operand}` : '';
      assert.equal(line, `${running}+${operand}=${value} check ${second}${corrected}`);
      steps++;
      if (slipped) slips++;
      running += operand;
    }
    assert.equal(answerOf(example), sumOf(example));
  }
  near(slips / steps, 0.2, steps);
});

test("responses use the tokenizer's characters alone and stay below 110 tokens", () => {
  for (const { problem, response } of examples) {
    const single = response.replace(/<\/?think>|<\/?answer>| check | wait /g, '?');
    assert.match(problem + single, /^[0-9a-z+\-=?,. ]*$/);
    assert.ok(single.length + 1 < 110, `${single.length + 1} tokens with the end token: ${response}`);
  }
});
