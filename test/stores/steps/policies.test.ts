import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPosition } from '../../../stores/runs/stage-position.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { commitCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { policiesOf, policyBefore } from '../../../stores/steps/policies.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import {
  at,
  BRANCH,
  batchOf,
  checkpointOf,
  claimedRun,
  digest,
  failure,
  KEY,
  policyAt,
  stepOf,
} from '../helpers.ts';

test('the log gives every policy its id, also where rows of the first release name none', async (t) => {
  const { database } = await claimedRun(t, 3);
  const expected = new Map([0, 1, 2, 3].map((step) => [step, policyAt(step)]));
  assert.deepEqual(await policiesOf(database, BRANCH), expected);
  await database.query('UPDATE batches SET policy_before = NULL WHERE step <= 2');
  await database.query('UPDATE steps SET policy_after = NULL WHERE step <= 2');
  assert.deepEqual(await policiesOf(database, BRANCH), expected);
  assert.equal(await policyBefore(database, at(3)), policyAt(2));
  assert.equal(await policyBefore(database, at(4)), policyAt(3));
  const { policy, logged } = await readPosition(database, KEY);
  assert.equal(policy, policyAt(0));
  assert.deepEqual(
    logged.map((each) => each.policy),
    [policyAt(1), policyAt(2), policyAt(3)],
  );
});

test('a row that names another policy than the log is a contradiction that shows both', async (t) => {
  const { database } = await claimedRun(t, 2);
  await database.query('UPDATE steps SET policy_after = $1 WHERE step = 1', [digest('other')]);
  await assert.rejects(
    readPosition(database, KEY),
    failure('Contradiction', 'step 1', policyAt(1), digest('other')),
  );
});

test('a batch, a step and a checkpoint of another policy are refused', async (t) => {
  const { database, term } = await claimedRun(t, 3);
  const astray = batchOf(4, term, { before: policyAt(1) });
  await assert.rejects(commitBatch(database, astray), failure('Contradiction', policyAt(3), policyAt(1)));
  await commitBatch(database, batchOf(4, term));
  const step = stepOf(4, term);
  const forged = { ...step, result: { ...step.result, policy: policyAt(3) } };
  await assert.rejects(recordStep(database, forged), failure('Contradiction', policyAt(4), policyAt(3)));
  await recordStep(database, { ...step, result: { ...step.result, policy: policyAt(4) } });
  const checkpoint = checkpointOf(4, term);
  await assert.rejects(
    commitCheckpoint(database, { ...checkpoint, policy: policyAt(3) }),
    failure('Contradiction', policyAt(4), policyAt(3)),
  );
  await commitCheckpoint(database, { ...checkpoint, policy: policyAt(4) });
});

test('one policy with two fingerprints is a contradiction; one that was not computed is none', async (t) => {
  const { database, term } = await claimedRun(t);
  await commitBatch(database, batchOf(1, term));
  const step = stepOf(1, term);
  const answered = (digestAfter: string | null, fingerprintAfter: string | null) => ({
    ...step,
    result: { ...step.result, digestAfter, fingerprintAfter },
  });
  await recordStep(database, answered(null, '0123456789abcdef'));
  await recordStep(database, answered(digest('w1'), null));
  await assert.rejects(
    recordStep(database, answered(null, 'fedcba9876543210')),
    failure('Contradiction', '0123456789abcdef', 'fedcba9876543210'),
  );
});
