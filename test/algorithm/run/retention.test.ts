import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRetention, type RetainedRow } from '../../../algorithm/run/retention.ts';
import type { RetentionOptions } from '../../../contracts/options.ts';

const row = (step: number, rest: Partial<RetainedRow> = {}): RetainedRow => ({
  branch: 0,
  step,
  value: null,
  usedBy: [],
  ...rest,
});
const branches = [{ branch: 0, parent: null, forkStep: 0 }];
const planned = { max_steps: 100, save_steps: 10 };
const stepsOf = (rows: readonly RetainedRow[]) => rows.map(({ step }) => step);
const range = (from: number, to: number, by = 10) =>
  Array.from({ length: (to - from) / by + 1 }, (_, index) => from + index * by);

const keptOf = (checkpoints: RetainedRow[], options: RetentionOptions) =>
  stepsOf(decideRetention({ checkpoints, branches }, { ...planned, ...options }).kept);

test('without a limit every checkpoint is kept', () => {
  const steps = [...range(10, 90), 95];
  assert.deepEqual(
    keptOf(
      steps.map((step) => row(step)),
      {},
    ),
    steps,
  );
});

test('the latest planned checkpoints are kept, and the end beside them; each deleted one has its reason', () => {
  const checkpoints = range(10, 100).map((step) => row(step));
  assert.deepEqual(keptOf(checkpoints, { save_total_limit: 3 }), [80, 90, 100]);
  assert.deepEqual(keptOf(checkpoints, { save_total_limit: 3, keep_every: 40 }), [40, 80, 90, 100]);
  const { deleted } = decideRetention({ checkpoints, branches }, { ...planned, save_total_limit: 3 });
  assert.equal(deleted[0]?.reason, 'not among the 3 latest planned (save_total_limit)');
});

test('a checkpoint of a pause does not count against the limit, and goes when it is no longer the latest', () => {
  assert.deepEqual(keptOf([row(10), row(20), row(25)], { save_total_limit: 1 }), [20, 25]);
  assert.deepEqual(keptOf([row(10), row(20), row(25), row(30)], { save_total_limit: 1 }), [30]);
});

test('the best by a metric is kept: the highest value, of lengths the lowest, of equal ones the first', () => {
  const values = [0.1, 0.7, 0.4, 0.7, null, 0.2];
  const checkpoints = values.map((value, index) => row(10 * (index + 1), { value }));
  assert.deepEqual(keptOf(checkpoints, { save_total_limit: 1, save_best: 'pass_at_1' }), [20, 60]);
  assert.deepEqual(keptOf(checkpoints, { save_total_limit: 1, save_best: 'mean_length' }), [10, 60]);
});

test('what another row refers to, what a branch continues after and the latest of every branch are kept', () => {
  const checkpoints = [
    ...range(10, 60).map((step) => row(step, { usedBy: step === 10 ? ['it sampled examples'] : [] })),
    ...range(40, 70).map((step) => row(step, { branch: 1 })),
    row(45, { branch: 2 }),
  ];
  const forks = [...branches, { branch: 1, parent: 0, forkStep: 34 }, { branch: 2, parent: 1, forkStep: 33 }];
  const options = { ...planned, save_total_limit: 1 };
  const { kept } = decideRetention({ checkpoints, branches: forks }, options);
  assert.deepEqual(
    kept.map(({ branch, step, reasons }) => [branch, step, reasons]),
    [
      [0, 10, ['it sampled examples']],
      [0, 30, ['branch 1 continues after it', 'branch 2 continues after it']],
      [0, 60, ['the latest', 'among the 1 latest planned (save_total_limit)']],
      [1, 70, ['the latest of branch 1', 'among the 1 latest planned (save_total_limit)']],
      [2, 45, ['the latest of branch 2']],
    ],
  );
});

/** A generator of test inputs with a fixed seed. */
function numbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function anyRows(seed: number) {
  const below = numbers(seed);
  const options = {
    max_steps: 20 + below(80),
    save_steps: 1 + below(9),
    save_total_limit: 1 + below(4),
    ...(below(2) === 0 ? {} : { keep_every: 1 + below(30) }),
    ...(below(2) === 0 ? {} : { save_best: 'pass_at_1' as const }),
  };
  const lines = Array.from({ length: 1 + below(4) }, (_, branch) => ({
    branch,
    parent: branch === 0 ? null : below(branch),
    forkStep: branch === 0 ? 0 : below(options.max_steps),
  }));
  const checkpoints = lines.flatMap(({ branch, forkStep }) =>
    Array.from({ length: options.max_steps - forkStep }, (_, index) => forkStep + index + 1)
      .filter((step) => step % options.save_steps === 0 || below(12) === 0)
      .map((step) =>
        row(step, { branch, value: below(3) === 0 ? null : below(5), usedBy: below(20) === 0 ? ['x'] : [] }),
      ),
  );
  return { rows: { checkpoints, branches: lines }, options };
}

test('of any rows: each is kept or deleted, safe ones never go, deciding again deletes no more, limits hold', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const { rows, options } = anyRows(seed);
    const { kept, deleted } = decideRetention(rows, options);
    assert.equal(kept.length + deleted.length, rows.checkpoints.length);
    for (const { step, usedBy } of deleted) {
      assert.deepEqual([step === options.max_steps, usedBy], [false, []], `seed ${seed}`);
      if ('keep_every' in options) assert.notEqual(step % Number(options.keep_every), 0, `seed ${seed}`);
    }
    for (const { branch } of rows.branches) {
      const own = rows.checkpoints.filter((each) => each.branch === branch);
      const left = kept.filter((each) => each.branch === branch);
      assert.equal(left.at(-1)?.step, own.at(-1)?.step, `seed ${seed}`);
      const byLimit = left.filter(({ reasons }) => reasons.some((text) => text.includes('save_total_limit')));
      assert(byLimit.length <= options.save_total_limit, `seed ${seed}`);
      assert.equal(
        deleted.filter((each) => each.branch === branch && each.step === own.at(-1)?.step).length,
        0,
      );
      assertStart(rows, { kept, branch, seed });
    }
    // The values of deleted rows are gone: the best of those that are left is the same one.
    assert.deepEqual(decideRetention({ ...rows, checkpoints: kept }, options).deleted, [], `seed ${seed}`);
  }
});

/** The checkpoint from which a branch's policy is loaded before the branch has its own is kept. */
function assertStart(
  { checkpoints, branches: lines }: ReturnType<typeof anyRows>['rows'],
  { kept, branch, seed }: { kept: readonly RetainedRow[]; branch: number; seed: number },
): void {
  const startIn = (rows: readonly RetainedRow[]) => {
    let [at, upTo] = [lines[branch]?.parent ?? null, lines[branch]?.forkStep ?? 0];
    while (at !== null) {
      const last = rows.findLast((each) => each.branch === at && each.step <= upTo);
      if (last !== undefined) return `${last.branch}@${last.step}`;
      upTo = Math.min(upTo, lines[at]?.forkStep ?? 0);
      at = lines[at]?.parent ?? null;
    }
    return null;
  };
  assert.equal(startIn(kept), startIn(checkpoints), `seed ${seed}`);
}
