import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forkBranch } from '../../../stores/runs/rewind.ts';
import { assertCurrentTerm, claimTerm } from '../../../stores/runs/terms.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { commitCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import {
  BRANCH,
  batchOf,
  checkpointOf,
  claim,
  databaseWithRun,
  failure,
  KEY,
  stepOf,
  train,
} from '../helpers.ts';

test('terms grow with every claim, also of many at once', async (t) => {
  const database = await databaseWithRun(t);
  const leases = await Promise.all(
    Array.from({ length: 6 }, (_, n) => claimTerm(database, BRANCH, `holder ${n}`)),
  );
  assert.deepEqual(leases.map(({ term }) => term).sort(), [1, 2, 3, 4, 5, 6]);
});

test('a superseded trainer writes nothing, and its refusal shows both terms', async (t) => {
  const database = await databaseWithRun(t);
  const old = await claim(database);
  await train(database, 1, 1, old);
  const current = (await claimTerm(database, BRANCH, 'trainer-b')).term;
  const refused = failure(
    'SupersededTerm',
    `current term ${current} (held by trainer-b)`,
    `under term ${old}`,
  );
  await assert.rejects(commitBatch(database, batchOf(2, old)), refused);
  await assert.rejects(recordStep(database, stepOf(1, old)), refused);
  await assert.rejects(commitCheckpoint(database, checkpointOf(1, old)), refused);
  assert.equal((await database.query('SELECT FROM batches')).length, 1);
  await train(database, 2, 2, current);
});

test('a claim waits for a write under way, which then stands under the older term', async (t) => {
  const database = await databaseWithRun(t);
  const term = await claim(database);
  const order: string[] = [];
  let claimed: Promise<unknown> = Promise.resolve();
  await database.transaction(async (tx) => {
    await assertCurrentTerm(tx, { ...BRANCH, term });
    claimed = claimTerm(database, BRANCH, 'next').then(() => order.push('claimed'));
    await tx.query('SELECT pg_sleep(0.2)');
    order.push('written');
  });
  await claimed;
  assert.deepEqual(order, ['written', 'claimed']);
});

test('a write that waited for a claim sees it and is refused', async (t) => {
  const database = await databaseWithRun(t);
  const term = await claim(database);
  let write: Promise<unknown> = Promise.resolve();
  await database.transaction(async (tx) => {
    await tx.query('SELECT FROM branches FOR NO KEY UPDATE');
    write = commitBatch(database, batchOf(1, term)).catch((error: unknown) => error);
    await tx.query('SELECT pg_sleep(0.2)');
    await tx.query(`INSERT INTO terms VALUES ('calm', 'zero', 0, ${term + 1}, now(), 'next')`);
  });
  failure('SupersededTerm', 'held by next')(await write);
});

test('a rewound stage goes on in a new branch, and the old one takes no more writes', async (t) => {
  const database = await databaseWithRun(t);
  const term = await claim(database);
  await train(database, 1, 4, term);
  const branch = await forkBranch(database, KEY, 2);
  assert.deepEqual(branch, { ...KEY, branch: 1 });
  await assert.rejects(
    commitBatch(database, batchOf(5, term)),
    failure('SupersededTerm', 'continues as branch 1'),
  );
  const lease = await claimTerm(database, branch, 'trainer');
  assert.equal(lease.term, 1);
  await train(database, 3, 3, lease.term, 1);
  await assert.rejects(
    forkBranch(database, KEY, 4),
    failure('InvalidInput', 'a step from 0 to 3', 'found 4'),
  );
});

test('a term of a stage that is not there is refused by name', async (t) => {
  const database = await databaseWithRun(t);
  await assert.rejects(
    claimTerm(database, { ...BRANCH, run: 'other' }, 'x'),
    failure('InvalidInput', 'run "other"', 'r1 runs'),
  );
});
