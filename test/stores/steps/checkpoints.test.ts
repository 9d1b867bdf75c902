import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forkBranch } from '../../../stores/runs/rewind.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { commitCheckpoint, findCheckpoint } from '../../../stores/steps/checkpoints.ts';
import {
  addRun,
  at,
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

test('a checkpoint committed again, or by a later term with the same digests, is the first one', async (t) => {
  const { database, term } = await claimedRun(t, 4);
  const { key: _key, term: _term, bytes: _bytes, ...made } = checkpointOf(4, term);
  assert.deepEqual(await commitCheckpoint(database, checkpointOf(4, term)), { step: 4, ...made });
  assert.deepEqual(await commitCheckpoint(database, checkpointOf(4, term)), { step: 4, ...made });
  const later = checkpointOf(4, await claim(database));
  assert.deepEqual(await commitCheckpoint(database, later), { step: 4, ...made });
});

test('a checkpoint of the same step with any other digest is a contradiction that shows both', async (t) => {
  const { database, term } = await claimedRun(t, 4);
  await commitCheckpoint(database, checkpointOf(4, term));
  for (const part of ['weights', 'moments', 'reference'] as const) {
    const made = checkpointOf(4, term);
    const other = { ...made, digests: { ...made.digests, [part]: digest('other') } };
    const shown = `${part} ${made.digests[part]}, found ${digest('other')}`;
    await assert.rejects(commitCheckpoint(database, other), failure('Contradiction', shown));
  }
});

test('a checkpoint of a step without a row, or of other weights than the step left, is refused', async (t) => {
  const { database, term } = await claimedRun(t);
  await commitBatch(database, batchOf(1, term));
  await assert.rejects(commitCheckpoint(database, checkpointOf(1, term)), failure('HistoryAhead', 'step 1'));
  await train(database, 1, 1, term);
  const other = {
    ...checkpointOf(1, term),
    digests: { weights: digest('w9'), moments: null, reference: null },
  };
  await assert.rejects(
    commitCheckpoint(database, other),
    failure('Contradiction', digest('w1'), digest('w9')),
  );
});

test('a checkpoint is found by its address and by run, stage and step', async (t) => {
  const { database, term } = await claimedRun(t, 8);
  for (const step of [4, 8]) await commitCheckpoint(database, checkpointOf(step, term));
  const found = async (name: string) => (await findCheckpoint(database, name)).step;
  for (const name of [
    'calm',
    'calm/zero',
    'latest',
    'calm/zero@8',
    'calm@8',
    `s3://bucket/manifest-8-t${term}`,
  ]) {
    assert.equal(await found(name), 8, name);
  }
  assert.equal(await found('calm/zero@4'), 4);
  const { manifest, digests, ...place } = await findCheckpoint(database, 'calm/zero@0');
  assert.deepEqual(place, { ...KEY, branch: 0, step: 0 });
  assert.deepEqual([manifest, digests.weights], [reference('base'), digest('w0')]);
  assert.equal((await findCheckpoint(database, 's3://bucket/base')).step, 0);
});

test('a run’s name means what it was for: its last stage on the way to R1, not a student beside it', async (t) => {
  const { database, term } = await claimedRun(t, 4);
  await commitCheckpoint(database, checkpointOf(4, term));
  const student = { stage: 'distill/small', position: 1 };
  await database.transaction(async (tx) => {
    for (const table of ['stages', 'branches', 'terms', 'batches', 'steps', 'checkpoints'])
      await tx.query(
        `INSERT INTO ${table} SELECT (jsonb_populate_record(r, $1)).* FROM ${table} r WHERE r.stage = 'zero'`,
        [student],
      );
  });
  assert.equal((await findCheckpoint(database, 'calm')).stage, 'zero');
  assert.equal((await findCheckpoint(database, 'calm/distill/small')).step, 4);
});

test('a run without a committed checkpoint is its base', async (t) => {
  const database = await databaseWithRun(t);
  await addRun(database, 'second');
  const { run, step } = await findCheckpoint(database, 'latest');
  assert.deepEqual({ run, step }, { run: 'second', step: 0 });
});

test('after a rewind a step means the current line; the other is found by its address', async (t) => {
  const { database, term } = await claimedRun(t, 4);
  await commitCheckpoint(database, checkpointOf(4, term));
  await forkBranch(database, KEY, 2);
  assert.equal((await findCheckpoint(database, 'calm')).step, 0);
  assert.equal((await findCheckpoint(database, checkpointOf(4, term).manifest.uri)).step, 4);
});

test('a name that means no checkpoint is refused, and tells which there are', async (t) => {
  const { database, term } = await claimedRun(t);
  await assert.rejects(findCheckpoint(database, 'calm/zero@3'), failure('InvalidInput', 'There is none yet'));
  await train(database, 1, 1, term);
  await commitCheckpoint(database, checkpointOf(1, term));
  for (const name of ['calm/zero@3', 'nobody', 'calm/two', 's3://bucket/nothing']) {
    await assert.rejects(findCheckpoint(database, name), failure('InvalidInput', name, 'calm/zero@1'));
  }
  await assert.rejects(findCheckpoint(database, 'calm@last'), failure('InvalidInput', 'RUN/STAGE@STEP'));
  assert.equal((await findCheckpoint(database, 'calm')).step, at(1).step);
});
