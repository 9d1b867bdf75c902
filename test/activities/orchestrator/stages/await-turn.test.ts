/** Who gets the next trainer. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { OrchestratorRoom } from '../../../../activities/dependencies.ts';
import { awaitTurn } from '../../../../activities/orchestrator/stages/await-turn.ts';
import type { StageKey } from '../../../../contracts/identity.ts';
import type { PlaceInQueue } from '../../../../contracts/workflows.ts';
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
  const { room, shown } = await roomWith(t, ['a', 'b', 'c']);
  for (const run of ['c', 'b', 'a']) await joinTrainerQueue(room.database, keyOf(run));
  await assert.rejects(
    awaitTurn(room, { key: keyOf('c') }),
    failure('NotItsTurn', 'place 3 of 3 in the queue for a trainer, behind a/zero, b/zero'),
  );
  await assert.rejects(awaitTurn(room, { key: keyOf('b') }), failure('NotItsTurn', 'place 2 of 3'));
  await awaitTurn(room, { key: keyOf('a') });
  await leaveTrainerQueue(room.database, keyOf('a'));
  await awaitTurn(room, { key: keyOf('b') });
  await leaveTrainerQueue(room.database, keyOf('b'));
  // A run that has begun is not overtaken between its stages.
  await awaitTurn(room, { key: keyOf('a') });
  await assert.rejects(awaitTurn(room, { key: keyOf('c') }), failure('NotItsTurn', 'place 2 of 2'));
  assert.deepEqual(
    shown.map(({ run, place }) => `${run} ${place}`),
    ['c 3', 'b 2', 'b 1', 'c 2'],
    'each workflow is sent its place once, and none that comes first at once',
  );
  const places = (await listRuns(room.database)).map(({ run, place }) => [run, place]);
  assert.deepEqual(places, [
    ['c', 2],
    ['b', null],
    ['a', 1],
  ]);
});

test('a stage whose workflow no longer waits holds nobody up', async (t) => {
  const { room, gone } = await roomWith(t, ['a', 'b', 'c', 'd']);
  for (const run of ['a', 'b', 'c', 'd']) await joinTrainerQueue(room.database, keyOf(run));
  await assert.rejects(awaitTurn(room, { key: keyOf('d') }), failure('NotItsTurn', 'place 4 of 4'));
  gone.add('a');
  await setRunStatus(room.database, 'b', 'aborted');
  await assert.rejects(awaitTurn(room, { key: keyOf('d') }), failure('NotItsTurn', 'place 2 of 2', 'c/zero'));
  gone.add('c');
  await awaitTurn(room, { key: keyOf('d') });
  const waiting = (await listTrainerQueue(room.database)).map(({ run, place }) => [run, place]);
  assert.deepEqual(waiting, [['d', 1]]);
});

test('asked again, a stage keeps its place', async (t) => {
  const { room } = await roomWith(t, ['a']);
  await awaitTurn(room, { key: keyOf('a') });
  const [first] = await listTrainerQueue(room.database);
  await awaitTurn(room, { key: keyOf('a') });
  assert.deepEqual(await listTrainerQueue(room.database), [first]);
});

/** A database with these runs, launched in this order, and what their workflows are sent. */
async function roomWith(t: TestContext, runs: readonly string[]) {
  const database = await migratedDatabase(t);
  for (const run of runs) await addRun(database, run);
  const gone = new Set<string>();
  const shown: ({ run: string } & PlaceInQueue)[] = [];
  const room: OrchestratorRoom = {
    database,
    objects: memoryObjects(),
    failpoints: { reached: () => undefined, armed: () => false },
    workflows: {
      waitsForTrainer: async ({ run }) => !gone.has(run),
      showPlace: async ({ run }, place) => void shown.push({ run, ...place }),
    },
  };
  return { room, gone, shown };
}
