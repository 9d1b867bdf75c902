import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewind } from '../../../stores/runs/rewind.ts';
import { readPosition } from '../../../stores/runs/stage-position.ts';
import { claimTerm } from '../../../stores/runs/terms.ts';
import { commitCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { addRun, checkpointOf, claimedRun, failure, KEY, reference, train } from '../helpers.ts';

test('a stage is rewound to a step, to its latest checkpoint, and to a checkpoint of a branch that was left', async (t) => {
  const { database, term } = await claimedRun(t, 6);
  await commitCheckpoint(database, checkpointOf(2, term));
  await commitCheckpoint(database, checkpointOf(5, term));
  assert.deepEqual(await rewind(database, KEY, 'latest'), { branch: 1, step: 5 });
  const lease = await claimTerm(database, { ...KEY, branch: 1 }, 'trainer');
  await train(database, 6, 7, lease.term, 1);
  assert.deepEqual(await rewind(database, KEY, 3), { branch: 2, step: 3 });
  await claimTerm(database, { ...KEY, branch: 2 }, 'trainer');
  const { uri } = reference(`manifest-5-t${term}`);
  assert.deepEqual(await rewind(database, KEY, uri), { branch: 3, step: 5 });
  const position = await readPosition(database, KEY);
  assert.deepEqual([position.branch, position.step, position.checkpoint.step], [3, 5, 5]);
});

test('asked again before anything has happened on the new branch, a rewind answers the same', async (t) => {
  const { database } = await claimedRun(t, 4);
  const first = await rewind(database, KEY, 2);
  assert.deepEqual(await rewind(database, KEY, 2), first);
  assert.deepEqual(await rewind(database, KEY, 1), { branch: 2, step: 1 });
});

test('what is not committed, or another’s, is refused and the branch stays', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  await commitCheckpoint(database, checkpointOf(2, term));
  await addRun(database, 'other');
  const other = { run: 'other', stage: KEY.stage };
  await assert.rejects(rewind(database, KEY, 3), failure('InvalidInput', 'a step from 0 to 2', 'found 3'));
  await assert.rejects(
    rewind(database, KEY, 's3://b/none'),
    failure('InvalidInput', 'a committed checkpoint'),
  );
  const { uri } = reference(`manifest-2-t${term}`);
  await assert.rejects(
    rewind(database, other, uri),
    failure('InvalidInput', 'of other/zero', 'of calm/zero'),
  );
  assert.equal((await readPosition(database, KEY)).branch, 0);
});
