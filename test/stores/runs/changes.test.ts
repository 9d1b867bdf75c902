import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewardModelSchema } from '../../../contracts/options.ts';
import { commitChanges, listChanges } from '../../../stores/runs/changes.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { BRANCH, batchOf, claimedRun, databaseWithRun, failure, KEY } from '../helpers.ts';

const author = 'ada';

test('a change takes effect after the last logged batch, and is kept with its author', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  await commitBatch(database, batchOf(3, term));
  const at = (atStep: number | null, learning_rate = 1e-4) =>
    commitChanges(database, KEY, { values: { learning_rate }, atStep, author });
  await assert.rejects(at(3), failure('InvalidInput', 'a step from 4 to 8', 'at step 3'));
  await assert.rejects(at(9), failure('InvalidInput', 'from 4 to 8'));
  await at(5);
  assert.deepEqual(await at(null), [{ effectiveStep: 4, field: 'learning_rate', value: 1e-4, author }]);
  await at(4, 2e-4);
  const listed = (await listChanges(database, BRANCH)).map(({ effectiveStep, value }) => [
    effectiveStep,
    value,
  ]);
  assert.deepEqual(listed, [
    [4, 1e-4],
    [4, 2e-4],
    [5, 1e-4],
  ]);
});

test('of several changes all are committed or none: every one out of bounds is named with its bound', async (t) => {
  const database = await databaseWithRun(t);
  const values = { learning_rate: -1, temperature: 0, epsilon: 0.3 };
  await assert.rejects(
    commitChanges(database, KEY, { values, atStep: null, author }),
    failure('InvalidInput', 'learning_rate: expected number to be >0, found -1', 'temperature', 'found 0'),
  );
  assert.deepEqual(await listChanges(database, BRANCH), []);
  await commitChanges(database, KEY, {
    values: { ...values, learning_rate: 1, temperature: 1 },
    atStep: null,
    author,
  });
  assert.equal((await listChanges(database, BRANCH)).length, 3);
});

test('a change is held to those that are committed, also for later steps', async (t) => {
  const database = await databaseWithRun(t);
  await commitChanges(database, KEY, { values: { epsilon_high: 0.3 }, atStep: 6, author });
  await assert.rejects(
    commitChanges(database, KEY, { values: { epsilon: 0.4 }, atStep: 2, author }),
    failure('InvalidInput', 'epsilon_high: expected at least epsilon (0.4), found 0.3'),
  );
});

test('what is read at a stage’s end can be changed when all its steps are logged, and nothing else', async (t) => {
  const { database, term } = await claimedRun(t, 7);
  await commitBatch(database, batchOf(8, term));
  const set = (values: Parameters<typeof commitChanges>[2]['values']) =>
    commitChanges(database, KEY, { values, atStep: null, author });
  await assert.rejects(
    set({ min_accuracy: 0.5 }),
    failure('InvalidInput', 'min_accuracy: this stage has no such option'),
  );
  const trained = rewardModelSchema.parse({
    learning_rate: 1,
    max_steps: 8,
    per_device_train_batch_size: 1,
    max_length: 8,
  });
  await database.query(
    `UPDATE runs SET plan = jsonb_set(jsonb_set(plan, '{stages,0,algorithm}', '"reward-model"'), '{stages,0,options}', $1)`,
    [JSON.stringify(trained)],
  );
  await assert.rejects(set({ learning_rate: 1e-4 }), failure('InvalidInput', 'all 8 steps are logged'));
  await assert.rejects(
    set({ learning_rate: 1e-4, min_accuracy: 0.5 }),
    failure('InvalidInput', 'all 8 steps are logged'),
  );
  await assert.rejects(set({ min_accuracy: 2 }), failure('InvalidInput', 'min_accuracy', 'found 2'));
  const [change] = await set({ min_accuracy: 0.5 });
  assert.deepEqual(change, { effectiveStep: 9, field: 'min_accuracy', value: 0.5, author });
});
