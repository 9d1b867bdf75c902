import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepsDocument } from '../../../contracts/documents.ts';
import { forkBranch } from '../../../stores/runs/rewind.ts';
import { claimTerm } from '../../../stores/runs/terms.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { listSteps, recordStep } from '../../../stores/steps/steps.ts';
import { batchOf, claim, claimedRun, digest, failure, KEY, reference, stepOf, train } from '../helpers.ts';

test('a step recorded again keeps its first record', async (t) => {
  const { database } = await claimedRun(t, 1);
  await recordStep(database, { ...stepOf(1, await claim(database)), secondsOther: 99 });
  const [step] = await listSteps(database, KEY.run);
  assert.equal(step?.secondsOther, 0.25);
});

test('the same step with other digests is a contradiction that shows both', async (t) => {
  const { database, term } = await claimedRun(t, 1);
  const other = recordStep(database, stepOf(1, term, { after: 'forged' }));
  await assert.rejects(
    other,
    failure('Contradiction', `digestAfter ${digest('w1')}, found ${digest('forged')}`),
  );
});

test('a step is refused without its batch, and with another', async (t) => {
  const { database, term } = await claimedRun(t);
  await assert.rejects(
    recordStep(database, stepOf(1, term)),
    failure('HistoryAhead', 'expected it to have trained a committed batch'),
  );
  await commitBatch(database, batchOf(1, term));
  const other = { ...stepOf(1, term), batch: reference('other') };
  await assert.rejects(
    recordStep(database, other),
    failure('Contradiction', digest('batch-1'), digest('other')),
  );
});

test('a step that does not start where the last one ended is refused, except at a numerics change', async (t) => {
  const { database, term } = await claimedRun(t);
  const astray = (step: number) => {
    const made = stepOf(step, term);
    return { ...made, result: { ...made.result, digestBefore: digest('astray') } };
  };
  await commitBatch(database, batchOf(1, term));
  await assert.rejects(
    recordStep(database, astray(1)),
    failure('Contradiction', digest('w0'), digest('astray')),
  );
  await recordStep(database, stepOf(1, term));
  await commitBatch(database, batchOf(2, term));
  await assert.rejects(
    recordStep(database, astray(2)),
    failure('Contradiction', `${digest('w1')} that step 1 left`),
  );
  await recordStep(database, { ...astray(2), seam: true });
  assert.equal((await listSteps(database, KEY.run)).at(-1)?.seam, true);
});

test('steps are listed as their document says, figures of batch and trainer together', async (t) => {
  const { database } = await claimedRun(t, 2);
  const steps = await listSteps(database, KEY.run);
  assert.deepEqual(stepsDocument.parse(steps), steps);
  const { batch, loss, kl, reward, rewards, secondsTraining, tokensSampled, digestAfter } = steps[1] ?? {};
  assert.deepEqual(
    { batch, loss, kl, reward, rewards, secondsTraining, tokensSampled, digestAfter },
    {
      batch: reference('batch-2'),
      loss: 0.125,
      kl: 1e-7,
      reward: 0.5,
      rewards: { accuracy: 0.25, format: 0.25 },
      secondsTraining: 3,
      tokensSampled: 60,
      digestAfter: digest('w2'),
    },
  );
});

test('the current line of a rewound stage holds the parent up to the fork; the parent can still be read', async (t) => {
  const { database } = await claimedRun(t, 4);
  const branch = await forkBranch(database, KEY, 2);
  await train(database, 3, 3, (await claimTerm(database, branch, 'trainer')).term, 1);
  const places = async (branches: 'current' | 'all') =>
    (await listSteps(database, KEY.run, { stage: KEY.stage, branches })).map(
      ({ branch, step }) => `${branch}/${step}`,
    );
  assert.deepEqual(await places('current'), ['0/1', '0/2', '1/3']);
  assert.deepEqual(await places('all'), ['0/1', '0/2', '0/3', '0/4', '1/3']);
  assert.deepEqual(await listSteps(database, KEY.run, { stage: 'other' }), []);
});
