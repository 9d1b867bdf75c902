import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CheckpointLocation,
  locateCheckpoint,
  locationText,
  nextSave,
  refuseUntrained,
} from '../../../cli/models/checkpoint-location.ts';
import { setStageStatus } from '../../../stores/runs/stages.ts';
import { commitCheckpoint, findCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { checkpointOf, claimedRun, KEY, train } from '../../stores/helpers.ts';

const stage = { stage: 'zero', status: 'running', origin: 'base', step: 47, steps: 90 } as const;
const planOf = (save_steps: number) => ({ stages: [{ stage: 'zero', options: { save_steps } }] }) as never;

test('the next checkpoint comes every so many steps, and at the last one', () => {
  assert.equal(nextSave(stage, planOf(20)), 60);
  assert.equal(nextSave({ ...stage, step: 60 }, planOf(20)), 80);
  assert.equal(nextSave({ ...stage, step: 80 }, planOf(20)), 90);
  assert.equal(nextSave(stage, planOf(500)), 90);
  for (const status of ['complete', 'aborted'] as const)
    assert.equal(nextSave({ ...stage, status }, planOf(20)), null);
});

test('a checkpoint is told by its stage and step, and by where its stage stands', () => {
  const place: CheckpointLocation = { run: 'r', stage: 'zero', step: 40, state: stage, nextSave: 60 };
  assert.equal(
    locationText(place),
    'r/zero@40, step 40 of 90; zero is running at step 47 and saves its next at step 60',
  );
  const complete = { ...stage, status: 'complete', step: 90 } as const;
  assert.equal(
    locationText({ ...place, step: 90, state: complete, nextSave: null }),
    'r/zero@90, step 90 of 90',
  );
  assert.match(
    locationText({ ...place, step: 0 }),
    /^r\/zero@0, what zero started from \(base\), untrained by it; /,
  );
});

test('before its first checkpoint a run is no trained policy, and says when it is one', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  await setStageStatus(database, KEY, 'running');
  const asked = async (name: string) => refuseUntrained(database, name, await findCheckpoint(database, name));
  const message =
    /^calm.*: expected a trained policy, found no checkpoint yet: calm\/zero is running at step 2\. Its next checkpoint is saved at step 4 of 8\. What it started from \(base\) is calm\/zero@0\.$/;
  for (const name of ['calm', 'calm/zero'])
    await assert.rejects(asked(name), { name: 'InputError', message });
  await asked('calm/zero@0');
  await asked('s3://bucket/base');
  await train(database, 3, 6, term);
  await commitCheckpoint(database, checkpointOf(4, term));
  for (const name of ['calm', 'calm/zero', 'calm/zero@4']) await asked(name);
  const place = await locateCheckpoint(database, await findCheckpoint(database, 'calm'));
  assert.equal(
    locationText(place),
    'calm/zero@4, step 4 of 8; zero is running at step 6 and saves its next at step 8',
  );
});
