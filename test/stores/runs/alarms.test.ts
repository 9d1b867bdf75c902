import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raisedAlarmSchema } from '../../../contracts/alarms.ts';
import { alarmsAt, listAlarms, listRunAlarms } from '../../../stores/runs/alarms.ts';
import { forkBranch } from '../../../stores/runs/rewind.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import { at, BRANCH, batchOf, claim, databaseWithRun, KEY, stepOf } from '../helpers.ts';

const alarms = [{ name: 'length-at-limit', threshold: 0.5, window: 2, action: 'pause' }] as const;
const cut = { truncatedShare: 0.75, emptyThinkingShare: null, errorShare: 0 };

test('an alarm is a row of the step that raised it, once, and of the branches that hold that step', async (t) => {
  const database = await databaseWithRun(t);
  const term = await claim(database);
  for (const step of [1, 2, 3]) {
    await commitBatch(database, { ...batchOf(step, term), health: cut });
    await recordStep(database, { ...stepOf(step, term), alarms });
  }
  await recordStep(database, { ...stepOf(3, term), alarms });
  const raised = await listAlarms(database, BRANCH);
  assert.deepEqual(
    raised.map(({ step, name, value, action }) => ({ step, name, value, action })),
    [{ step: 2, name: 'length-at-limit', value: 0.75, action: 'pause' }],
  );
  raisedAlarmSchema.parse(raised[0]);
  assert.deepEqual(await alarmsAt(database, at(2)), raised);
  assert.deepEqual(await listRunAlarms(database, KEY.run), raised);
  await forkBranch(database, KEY, 1);
  assert.deepEqual(await listRunAlarms(database, KEY.run), []);
});
