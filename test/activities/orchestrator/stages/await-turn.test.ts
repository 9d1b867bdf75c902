/** Who gets the next trainer. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { OrchestratorContext } from '../../../../activities/dependencies.ts';
import { awaitTurn } from '../../../../activities/orchestrator/stages/await-turn.ts';
import type { StageKey } from '../../../../contracts/identity.ts';
import type { QueuePosition } from '../../../../contracts/workflows.ts';
import { listRuns, setRunStatus } from '../../../../stores/runs/runs.ts';
import {
  joinTrainerQueue,
  leaveTrainerQueue,
  listTrainerQueue,
} from '../../../../stores/runs/trainer-queue.ts';
import { addRun, failure, migratedDatabase } from '../../../stores/helpers.ts';
import { memoryObjects } from '../../memory-objects.ts';

const keyOf = (run: string): StageKey => ({ run, stage: 'zero' });

test('runs are served in the order of their launch, whoever asks first', async (t) => {
  const { context, shown } = await roomWith(t, ['a', 'b', 'c']);
  for (const run of ['c', 'b', 'a']) await joinTrainerQueue(context.database, keyOf(run));
  await assert.rejects(
    awaitTurn(context, { key: keyOf('c') }),
    failure('NotItsTurn', 'place 3 of 3 in the queue for a trainer, behind a/zero, b/zero'),
  );
  await assert.rejects(awaitTurn(context, { key: keyOf('b') }), failure('NotItsTurn', 'place 2 of 3'));
  await awaitTurn(context, { key: keyOf('a') });
  await leaveTrainerQueue(context.database, keyOf('a'));
  await awaitTurn(context, { key: keyOf('b') });
  await leaveTrainerQueue(context.database, keyOf('b'));
  // A run that has begun is not overtaken between its stages.
  await awaitTurn(context, { key: keyOf('a') });
  await assert.rejects(awaitTurn(context, { key: keyOf('c') }), failure('NotItsTurn', 'place 2 of 2'));
  assert.deepEqual(
    shown.map(({ run, place }) => `${run} ${place}`),
    ['c 3', 'b 2', 'b 1', 'c 2'],
    'each workflow is sent its place once, and none that comes first at once',
  );
  const places = (await listRuns(context.database)).map(({ run, place }) => [run, place]);
  assert.deepEqual(places, [
    ['c', 2],
    ['b', null],
    ['a', 1],
  ]);
});

test('a stage whose workflow no longer waits holds nobody up', async (t) => {
  const { context, gone } = await roomWith(t, ['a', 'b', 'c', 'd']);
  for (const run of ['a', 'b', 'c', 'd']) await joinTrainerQueue(context.database, keyOf(run));
  await assert.rejects(awaitTurn(context, { key: keyOf('d') }), failure('NotItsTurn', 'place 4 of 4'));
  gone.add('a');
  await setRunStatus(context.database, 'b', 'aborted');
  await assert.rejects(
    awaitTurn(context, { key: keyOf('d') }),
    failure('NotItsTurn', 'place 2 of 2', 'c/zero'),
  );
  gone.add('c');
  await awaitTurn(context, { key: keyOf('d') });
  const waiting = (await listTrainerQueue(context.database)).map(({ run, place }) => [run, place]);
  assert.deepEqual(waiting, [['d', 1]]);
});

test('asked again, a stage keeps its place', async (t) => {
  const { context } = await roomWith(t, ['a']);
  await awaitTurn(context, { key: keyOf('a') });
  const [first] = await listTrainerQueue(context.database);
  await awaitTurn(context, { key: keyOf('a') });
  assert.deepEqual(await listTrainerQueue(context.database), [first]);
});

/** A database with these runs, launched in this order, and what their workflows are sent. */
async function roomWith(t: TestContext, runs: readonly string[]) {
  const database = await migratedDatabase(t);
  for (const run of runs) await addRun(database, run);
  const gone = new Set<string>();
  const shown: ({ run: string } & QueuePosition)[] = [];
  const context: OrchestratorContext = {
    graceSeconds: 0,
    database,
    objects: memoryObjects(),
    failpoints: { reached: () => null, armed: () => false },
    workflows: {
      waitsForTrainer: async ({ run }) => !gone.has(run),
      showPlace: async ({ run }, place) => void shown.push({ run, ...place }),
    },
  };
  return { context, gone, shown };
}
