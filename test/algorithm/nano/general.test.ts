import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  domainOf,
  generalSplit,
  isGeneralDomain,
  NANO_GENERAL_TASKS,
  nanoGeneralRows,
  plainResponse,
} from '../../../algorithm/nano/general.ts';
import { NANO_CHARACTERS } from '../../../algorithm/nano/tokenizer.ts';
import { extractAnswer } from '../../../rewards/answer-text.ts';
import { isWellFormed } from '../../../rewards/format.ts';

const rows = nanoGeneralRows({ train: 1_200, test: 300, seed: 0 });
const domainRows = (domain: string) => rows.filter((row) => row.domain === domain);

test('the three tasks come in turn, each with the answer that its text asks for', () => {
  for (const task of NANO_GENERAL_TASKS) assert.equal(domainRows(domainOf(task)).length, 500);
  for (const { problem, answer } of domainRows('nano-copy')) assert.equal(problem, `copy ${answer}`);
  for (const { problem, answer } of domainRows('nano-reverse')) {
    assert.equal(problem, `reverse ${answer.split('+').reverse().join('+')}`);
  }
  for (const { problem, answer } of domainRows('nano-lookup')) {
    const [, key = '', table = ''] = /^find (.) in (.*)$/.exec(problem) ?? [];
    const values = new Map(table.split(' ').map((pair) => [pair.charAt(0), pair.slice(1)]));
    assert.equal(values.size, 3);
    assert.equal(key + values.get(key), answer);
  }
});

test('training and held-out problems are disjoint as texts, whatever the seeds', () => {
  const all = [0, 1, 2].flatMap((seed) => nanoGeneralRows({ train: 500, test: 100, seed }));
  for (const { problem, split } of all) assert.equal(generalSplit(problem), split);
  assert.equal(new Set(rows.map(({ problem }) => problem)).size, rows.length);
});

test('the plain response to a general task is well-formed, right, and within the alphabet', () => {
  for (const { problem, answer } of rows) {
    const response = plainResponse(answer);
    assert.ok(isWellFormed(response));
    assert.equal(extractAnswer(response), answer);
    for (const character of problem + answer) assert.ok(NANO_CHARACTERS.includes(character), character);
  }
});

test('a domain is general or it is not', () => {
  assert.ok(isGeneralDomain('nano-lookup'));
  assert.ok(!isGeneralDomain('nano-sums'));
});

test('the same seed makes the same rows', () => {
  assert.deepEqual(nanoGeneralRows({ train: 1_200, test: 300, seed: 0 }), rows);
  assert.notDeepEqual(nanoGeneralRows({ train: 1_200, test: 300, seed: 1 }), rows);
  assert.deepEqual(nanoGeneralRows({ train: 0, test: 0, seed: 0 }), []);
});
