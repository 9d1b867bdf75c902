import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listNumericsChanges } from '../../../stores/runs/numerics-changes.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import { BRANCH, batchOf, claimedRun, numerics, stepOf } from '../helpers.ts';

test('a seam is told with the numerics on both of its sides', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  assert.deepEqual(await listNumericsChanges(database, BRANCH), []);
  const after = { ...numerics, threads: 8 };
  await commitBatch(database, batchOf(3, term));
  const { result, ...step } = stepOf(3, term);
  await recordStep(database, { ...step, result: { ...result, numerics: after }, seam: true });
  assert.deepEqual(await listNumericsChanges(database, BRANCH), [{ step: 3, before: numerics, after }]);
});
