import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitChanges } from '../../../stores/runs/changes.ts';
import { claimTerm } from '../../../stores/runs/terms.ts';
import { commitBatch, findBatch } from '../../../stores/steps/batches.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import {
  at,
  BRANCH,
  batchOf,
  claim,
  claimedRun,
  databaseWithRun,
  digest,
  failure,
  KEY,
  stepOf,
} from '../helpers.ts';

test('a batch committed again, by the same term or a later one, is the same batch', async (t) => {
  const { database, term } = await claimedRun(t);
  const first = await commitBatch(database, batchOf(1, term));
  assert.deepEqual(await commitBatch(database, batchOf(1, term)), first);
  const later = await claim(database);
  assert.deepEqual(await commitBatch(database, batchOf(1, later)), first);
  const committed = await findBatch(database, at(1));
  assert.deepEqual(committed, { batch: first.batch, term, digestBefore: digest('w0'), result: first });
  assert.equal(await findBatch(database, at(2)), null);
});

test('of many commits of one batch at once one writes, and all agree', async (t) => {
  const { database, term } = await claimedRun(t);
  const results = await Promise.all(
    Array.from({ length: 10 }, () => commitBatch(database, batchOf(1, term))),
  );
  for (const result of results) assert.deepEqual(result, batchOf(1, term).result);
  assert.equal((await database.query('SELECT FROM prompt_uses')).length, 2);
});

test('another batch for the same step is a contradiction that shows both', async (t) => {
  const { database, term } = await claimedRun(t);
  await commitBatch(database, batchOf(1, term));
  const other = commitBatch(database, batchOf(1, term, { name: 'other' }));
  await assert.rejects(
    other,
    failure('Contradiction', digest('batch-1'), digest('other'), 's3://bucket/other'),
  );
});

test('prompts are counted once, with the first batch of their rollout', async (t) => {
  const { database, term } = await claimedRun(t, 3);
  await commitBatch(database, batchOf(1, term));
  const uses = await database.query('SELECT first_step, slot, trained FROM prompt_uses ORDER BY slot');
  assert.deepEqual(uses, [
    { first_step: 1, slot: 0, trained: true },
    { first_step: 1, slot: 1, trained: false },
  ]);
});

test('a batch whose prompts cannot be counted is not committed either', async (t) => {
  const { database, term } = await claimedRun(t);
  const uses = [{ slot: 0, prompt: digest('nobody knows it'), trained: true }];
  await assert.rejects(commitBatch(database, { ...batchOf(1, term), uses }), /foreign key/);
  assert.equal(await findBatch(database, at(1)), null);
});

test('a batch beyond the next step means that the history is ahead of the rows', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  await assert.rejects(
    commitBatch(database, batchOf(4, term)),
    failure('HistoryAhead', 'batch of step 3', 'found one of step 4'),
  );
  await commitBatch(database, batchOf(3, term));
  await assert.rejects(
    commitBatch(database, batchOf(4, term)),
    failure('HistoryAhead', 'rows end at step 2'),
  );
});

test('a batch made before a change was committed is refused, and made again', async (t) => {
  const { database, term } = await claimedRun(t, 1);
  const made = batchOf(2, term);
  await commitChanges(database, KEY, { values: { learning_rate: 1e-4 }, atStep: 2, author: 'ada' });
  await assert.rejects(
    commitBatch(database, made),
    failure('Unavailable', 'a live change was committed', '0.0001'),
  );
  made.record.numbers.learning_rate = 1e-4;
  await commitBatch(database, made);
});

test('a stage can be logged, recorded and taken over step by step by ever new terms', async (t) => {
  const database = await databaseWithRun(t);
  for (let step = 1; step <= 8; step++) {
    const { term } = await claimTerm(database, BRANCH, `trainer ${step}`);
    await commitBatch(database, batchOf(step, term));
    await recordStep(database, stepOf(step, term));
  }
  assert.equal((await database.query('SELECT FROM steps')).length, 8);
});
