import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  classify,
  countSums,
  isHeldOut,
  type NanoDataSet,
  nanoPromptRows,
  nanoTaskDefaults,
} from '../../../algorithm/nano/task.ts';

const dataSet: NanoDataSet = { ...nanoTaskDefaults, train: 2_000, test: 256, seed: 0 };
const operandsOf = (problem: string) => problem.replace('=?', '').split('+').map(Number);
const asSet = (problem: string) =>
  operandsOf(problem)
    .sort((a, b) => a - b)
    .join('+');

test('every problem is a sum of the operands asked for, with its right answer', () => {
  const rows = nanoPromptRows(dataSet);
  assert.equal(rows.length, 2_256);
  for (const { problem, answer, domain } of rows) {
    assert.match(problem, /^\d+(\+\d+){3}=\?$/);
    const operands = operandsOf(problem);
    assert.ok(operands.every((operand) => operand >= 1 && operand < 20));
    assert.equal(answer, String(operands.reduce((a, b) => a + b)));
    assert.equal(domain, 'nano-sums');
  }
});

test('train and held-out problems are disjoint as sets of operands, whatever the seeds', () => {
  const train = [0, 1, 2].flatMap((seed) => nanoPromptRows({ ...dataSet, seed, test: 0 }));
  const test = [0, 1, 2].flatMap((seed) => nanoPromptRows({ ...dataSet, seed, train: 0 }));
  const trained = new Set(train.map(({ problem }) => asSet(problem)));
  assert.deepEqual(
    test.filter(({ problem }) => trained.has(asSet(problem))),
    [],
  );
  for (const { split } of train) assert.equal(split, 'train');
  for (const { split } of test) assert.equal(split, 'test');
});

test('training problems differ as texts, and held-out ones as sets', () => {
  const rows = nanoPromptRows(dataSet);
  assert.equal(new Set(rows.map(({ problem }) => problem)).size, rows.length);
  const sets = rows.filter(({ split }) => split === 'test').map(({ problem }) => asSet(problem));
  assert.equal(new Set(sets).size, 256);
});

test('the order of the operands does not decide the split, and about an eighth is held out', () => {
  let heldOut = 0;
  let all = 0;
  for (let a = 1; a < 20; a++) {
    for (let b = a; b < 20; b++) {
      for (let c = b; c < 20; c++) {
        for (let d = c; d < 20; d++) {
          all++;
          if (isHeldOut([a, b, c, d])) heldOut++;
          assert.equal(isHeldOut([d, b, a, c]), isHeldOut([a, b, c, d]));
        }
      }
    }
  }
  assert.equal(all, 7_315);
  assert.ok(heldOut / all > 0.11 && heldOut / all < 0.14, `${heldOut} of ${all}`);
});

test('the same seed makes the same data set, another seed another', () => {
  assert.deepEqual(nanoPromptRows(dataSet), nanoPromptRows(dataSet));
  assert.notDeepEqual(nanoPromptRows({ ...dataSet, seed: 1 }), nanoPromptRows(dataSet));
});

test('more problems than there are sums are refused with the number found', () => {
  assert.throws(
    () => nanoPromptRows({ terms: 2, limit: 4, train: 100, test: 0, seed: 0 }),
    /prompts: train: expected 100 different sums, found \d+ among 2 terms below 4; ask for fewer/,
  );
  const onlyOne = { terms: 2, limit: 2 };
  const missing = isHeldOut([1, 1]) ? { train: 1, test: 0 } : { train: 0, test: 1 };
  assert.throws(() => nanoPromptRows({ ...onlyOne, ...missing, seed: 0 }), /expected some sums in the split/);
});

test('sums are counted as they can be drawn: by order in training, by set where held out', () => {
  const orders = Array.from({ length: 5 ** 3 }, (_, n) => [
    1 + (n % 5),
    1 + (Math.floor(n / 5) % 5),
    1 + Math.floor(n / 25),
  ]);
  const trained = orders.filter((operands) => !isHeldOut(operands));
  const held = new Set(orders.filter(isHeldOut).map((operands) => [...operands].sort().join('+')));
  const task = { terms: 3, limit: 6 };
  assert.equal(countSums(task, 'train'), trained.length);
  assert.equal(countSums(task, 'test'), held.size);
  assert.equal(
    nanoPromptRows({ ...task, train: trained.length, test: held.size, seed: 3 }).length,
    trained.length + held.size,
  );
});

test('far more problems than there are sums are refused without drawing them', () => {
  const ask = (of: object) => () =>
    nanoPromptRows({ ...nanoTaskDefaults, train: 1, test: 1, seed: 0, ...of });
  assert.throws(
    ask({ train: 1_000_000 }),
    /train: expected 1000000 different sums, found 11\d{4} among 4 terms below 20/,
  );
  assert.throws(
    ask({ test: 100_000 }),
    /test: expected 100000 different sums, found \d{3} among 4 terms below 20/,
  );
});

test('a response is classified by what it does', () => {
  const cases: [string, ReturnType<typeof classify>][] = [
    ['<think></think><answer>37</answer>', { worked: false, checks: false, corrects: false }],
    ['<think>7+15=22</think><answer>22</answer>', { worked: true, checks: false, corrects: false }],
    ['<think>7+15=22 check 7+15=22</think>', { worked: true, checks: true, corrects: false }],
    ['<think>7+15=23 check 7+15=22 wait 22</think>', { worked: true, checks: true, corrects: true }],
    ['<think>primero 1+1=0 reviso 1+1=2 espera 2</think>', { worked: true, checks: true, corrects: true }],
    ['<think> check wait </think>', { worked: false, checks: false, corrects: false }],
    ['<think>1+1=0 check 1+1=2 wait 2</think>', { worked: true, checks: true, corrects: true }],
  ];
  for (const [response, behaviour] of cases) assert.deepEqual(classify(response), behaviour, response);
});
