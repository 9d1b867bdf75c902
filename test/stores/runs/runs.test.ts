import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runsDocument } from '../../../contracts/documents.ts';
import { createRun, getRun, latestRun, listRuns, setRunStatus } from '../../../stores/runs/runs.ts';
import { addRun, databaseWithRun, digest, failure, migratedDatabase, options } from '../helpers.ts';

test('a run is read back as it was launched', async (t) => {
  const database = await databaseWithRun(t);
  const { run, recipe, plan, status, reason, finishedAt } = await getRun(database, 'calm');
  assert.deepEqual(
    { run, status, reason, finishedAt },
    { run: 'calm', status: 'running', reason: null, finishedAt: null },
  );
  assert.equal(recipe.name, 'nano');
  assert.equal(plan.seed, '18446744073709551615');
  assert.deepEqual(plan.stages[0]?.options, options);
});

test('a name is given once, and nothing is written for the second', async (t) => {
  const database = await databaseWithRun(t);
  const again = createRun(database, await getRun(database, 'calm'));
  await assert.rejects(again, failure('InvalidInput', 'run "calm" exists', '--name'));
  assert.equal((await database.query('SELECT FROM stages')).length, 1);
});

test('a run whose prompts were never imported is not written at all', async (t) => {
  const database = await databaseWithRun(t);
  const calm = await getRun(database, 'calm');
  const other = { ...calm, run: 'other', plan: { ...calm.plan, promptSet: digest('nothing') } };
  await assert.rejects(createRun(database, other), /foreign key/);
  assert.equal((await listRuns(database)).length, 1);
});

test('runs are listed as their document says, the latest first', async (t) => {
  const database = await databaseWithRun(t);
  await addRun(database, 'second');
  const runs = await listRuns(database);
  assert.deepEqual(runsDocument.parse(runs), runs);
  assert.deepEqual(
    runs.map(({ run }) => run),
    ['second', 'calm'],
  );
  assert.equal((await latestRun(database))?.run, 'second');
});

test('where there is no run, none is the latest, and a name is refused', async (t) => {
  const database = await migratedDatabase(t);
  assert.equal(await latestRun(database), null);
  await assert.rejects(getRun(database, 'calm'), failure('InvalidInput', 'no run "calm"', 'r1 runs'));
  await assert.rejects(setRunStatus(database, 'calm', 'parked'), failure('InvalidInput', 'no run "calm"'));
});
