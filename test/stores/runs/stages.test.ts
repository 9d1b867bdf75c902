import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showDocument } from '../../../contracts/documents.ts';
import { getRun, setRunStatus } from '../../../stores/runs/runs.ts';
import { listStages, setStageStatus } from '../../../stores/runs/stages.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { commitCheckpoint } from '../../../stores/steps/checkpoints.ts';
import {
  batchOf,
  checkpointOf,
  claim,
  claimedRun,
  databaseWithRun,
  digest,
  failure,
  KEY,
  reference,
  train,
} from '../helpers.ts';

test('a stage is complete only when the step reached is the step planned', async (t) => {
  const { database, term } = await claimedRun(t, 7);
  await commitBatch(database, batchOf(8, term));
  await assert.rejects(
    setStageStatus(database, KEY, 'complete'),
    failure('Contradiction', 'expected step 8', 'found step 7'),
  );
  await train(database, 8, 8, term);
  await setStageStatus(database, KEY, 'complete');
});

test('a run is complete only when its stages are', async (t) => {
  const database = await databaseWithRun(t);
  await assert.rejects(setRunStatus(database, KEY.run, 'complete'), failure('Contradiction', 'zero pending'));
  await train(database, 1, 8, await claim(database));
  await setStageStatus(database, KEY, 'complete');
  await setRunStatus(database, KEY.run, 'complete');
  assert.notEqual((await getRun(database, KEY.run)).finishedAt, null);
});

test('a parked stage tells why, and one that runs again does not', async (t) => {
  const database = await databaseWithRun(t);
  const stage = async () => (await listStages(database, KEY.run))[0];
  assert.equal((await stage())?.startedAt, null);
  await setStageStatus(database, KEY, 'running');
  const started = (await stage())?.startedAt;
  await setStageStatus(database, KEY, 'parked', 'two digests differ');
  assert.equal((await stage())?.reason, 'two digests differ');
  await setStageStatus(database, KEY, 'running');
  const { reason, startedAt, finishedAt } = (await stage()) ?? {};
  assert.deepEqual({ reason, startedAt, finishedAt }, { reason: null, startedAt: started, finishedAt: null });
});

test('stages are listed as their document says', async (t) => {
  const { database, term } = await claimedRun(t, 5);
  await commitCheckpoint(database, checkpointOf(4, term));
  await setStageStatus(database, KEY, 'running');
  const stages = await listStages(database, KEY.run);
  assert.deepEqual(showDocument.shape.stages.parse(stages), stages);
  const { step, steps, checkpoint } = stages[0] ?? {};
  const saved = { uri: reference(`manifest-4-t${term}`).uri, digest: digest('w4') };
  assert.deepEqual({ step, steps, checkpoint }, { step: 5, steps: 8, checkpoint: saved });
});

test('the status of a stage that is not there cannot be set', async (t) => {
  const database = await databaseWithRun(t);
  await assert.rejects(
    setStageStatus(database, { ...KEY, stage: 'two' }, 'running'),
    failure('InvalidInput', '"two"'),
  );
});
