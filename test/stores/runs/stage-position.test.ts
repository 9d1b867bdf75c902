import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitChanges } from '../../../stores/runs/changes.ts';
import { forkBranch } from '../../../stores/runs/rewind.ts';
import { readPosition } from '../../../stores/runs/stage-position.ts';
import { claimTerm } from '../../../stores/runs/terms.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { commitCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { recordEvaluation } from '../../../stores/steps/evaluations.ts';
import {
  batchOf,
  checkpointOf,
  claimedRun,
  databaseWithRun,
  digest,
  evaluationFigures,
  failure,
  KEY,
  numerics,
  policyAt,
  reference,
  train,
} from '../helpers.ts';

const logged = (step: number) => ({
  step,
  batch: reference(`batch-${step}`),
  // steps 1 and 5 begin rollouts
  tokensSampled: step % 4 === 1 ? 30 : 0,
  policy: policyAt(step),
  recorded: { digestAfter: digest(`w${step}`), fingerprintAfter: null, numerics },
});

test('a fresh stage stands at step 0 of what it starts from', async (t) => {
  const database = await databaseWithRun(t);
  assert.deepEqual(await readPosition(database, KEY), {
    branch: 0,
    status: 'pending',
    step: 0,
    checkpoint: {
      step: 0,
      manifest: reference('base'),
      digests: { weights: digest('w0'), moments: null, reference: null },
    },
    policy: policyAt(0),
    logged: [],
    numerics: null,
    cursor: { pass: 0, position: 0 },
    rollout: null,
    changes: [],
    seams: [],
    verifierChanges: [],
    alarms: [],
    evaluated: [],
  });
});

test('a batch without a step row is the last of the log, and its rollout is in hand', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  const batch = batchOf(3, term);
  await commitBatch(database, batch);
  const position = await readPosition(database, KEY);
  assert.equal(position.step, 2);
  assert.deepEqual(position.logged, [
    logged(1),
    logged(2),
    { ...logged(3), batch: batch.batch, recorded: null },
  ]);
  assert.deepEqual(position.rollout, batch.hand);
  assert.deepEqual(position.cursor, batch.hand?.cursorAfter);
});

test('a checkpoint behind the rows leaves the batches after it to be trained again', async (t) => {
  const { database, term } = await claimedRun(t, 4);
  const checkpoint = await commitCheckpoint(database, checkpointOf(4, term));
  await train(database, 5, 6, term);
  const position = await readPosition(database, KEY);
  assert.deepEqual(position.checkpoint, checkpoint);
  assert.deepEqual(position.logged, [logged(5), logged(6)]);
  assert.equal(position.step, 6);
  assert.deepEqual(position.numerics, numerics);
});

test('between two rollouts nothing is in hand', async (t) => {
  const { database, term } = await claimedRun(t, 4);
  await commitCheckpoint(database, checkpointOf(4, term));
  const position = await readPosition(database, KEY);
  assert.deepEqual([position.step, position.logged, position.rollout], [4, [], null]);
  assert.deepEqual(position.cursor, { pass: 0, position: 4 });
  await train(database, 5, 8, term);
  assert.equal((await readPosition(database, KEY)).rollout, null);
});

test('changes and evaluations that are committed are part of where a stage stands', async (t) => {
  const { database } = await claimedRun(t, 1);
  await commitChanges(database, KEY, { values: { beta: 0.01 }, atStep: 5, author: 'ada' });
  const measured = {
    key: KEY,
    rollout: reference('r'),
    scores: reference('s'),
    checkpoint: null,
    figures: evaluationFigures,
    verifiers: { accuracy: 1 },
    alarms: [],
  };
  await recordEvaluation(database, { ...measured, as: 'base', step: 0, quick: false });
  await recordEvaluation(database, { ...measured, as: 'zero', step: 1, quick: true });
  const position = await readPosition(database, KEY);
  assert.deepEqual(position.changes, [{ effectiveStep: 5, field: 'beta', value: 0.01, author: 'ada' }]);
  assert.deepEqual(position.evaluated, ['base@0', 'zero@1']);
});

test('a rewound stage stands at the step that it goes on from, with its parent’s log, rollout and changes up to it', async (t) => {
  const { database, term } = await claimedRun(t, 1);
  await commitCheckpoint(database, checkpointOf(1, term));
  await commitChanges(database, KEY, { values: { beta: 0.01 }, atStep: 8, author: 'ada' });
  await train(database, 2, 6, term);
  await commitCheckpoint(database, checkpointOf(4, term)).catch(() => assert.fail('step 4 is recorded'));
  const branch = await forkBranch(database, KEY, 3);
  const position = await readPosition(database, KEY);
  assert.deepEqual([position.branch, position.step, position.checkpoint.step], [1, 3, 1]);
  assert.deepEqual(position.logged, [logged(2), logged(3)]);
  assert.deepEqual(position.rollout, batchOf(3, term).hand);
  assert.deepEqual(position.changes, []);
  await train(database, 4, 4, (await claimTerm(database, branch, 'trainer')).term, 1);
  assert.deepEqual((await readPosition(database, KEY)).logged, [logged(2), logged(3), logged(4)]);
});

test('a branch of a branch holds of each ancestor only what lies before all forks', async (t) => {
  const { database } = await claimedRun(t, 6);
  const first = await forkBranch(database, KEY, 4);
  await train(database, 5, 6, (await claimTerm(database, first, 'trainer')).term, 1);
  await forkBranch(database, KEY, 2);
  const position = await readPosition(database, KEY);
  assert.deepEqual([position.branch, position.step, position.logged], [2, 2, [logged(1), logged(2)]]);
});

test('a stage that is not there is refused by name', async (t) => {
  const database = await databaseWithRun(t);
  await assert.rejects(
    readPosition(database, { ...KEY, stage: 'one' }),
    failure('InvalidInput', 'stage "one"'),
  );
});
