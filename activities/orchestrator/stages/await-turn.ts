import { Failure } from '../../../contracts/failures.ts';
import type { StageKey } from '../../../contracts/identity.ts';
import type { QueuePosition } from '../../../contracts/workflows.ts';
import {
  joinTrainerQueue,
  leaveTrainerQueue,
  listTrainerQueue,
  notePlaceShown,
  type QueuedStage,
} from '../../../stores/runs/trainer-queue.ts';
import type { OrchestratorContext } from '../../dependencies.ts';

/**
 * Returns when the stage is first in the queue for a trainer: the next free trainer is its own. Until then it fails with
 * the stage's place in the queue and is retried: attempts add no events to the history, and occupy no worker.
 * @throws Failure 'NotItsTurn'
 */
export async function awaitTurn(context: OrchestratorContext, { key }: { key: StageKey }): Promise<void> {
  await joinTrainerQueue(context.database, key);
  const { place, waiting, behind } = await placeOf(context, key);
  const text = `place ${place} of ${waiting} in the queue for a trainer`;
  if (await notePlaceShown(context.database, key, place))
    await context.workflows.showPlace(key, { place, waiting, behind });
  if (place > 1) throw new Failure('NotItsTurn', `${text}, behind ${behind.join(', ')}`);
}

/** Removes stages ahead whose workflow no longer waits: it was terminated, or its server's data are lost. */
async function placeOf({ database, workflows }: OrchestratorContext, key: StageKey): Promise<QueuePosition> {
  for (;;) {
    const queue = await listTrainerQueue(database);
    const own = queue.find((each) => isSame(each, key));
    const [first] = queue;
    if (own === undefined || first === undefined || first.place === own.place)
      return { place: 1, waiting: Math.max(1, queue.length), behind: [] };
    if (await workflows.waitsForTrainer(first)) {
      const ahead = queue.filter(({ place }) => place < own.place);
      return { place: own.place, waiting: queue.length, behind: ahead.map(nameOf) };
    }
    await leaveTrainerQueue(database, first);
  }
}

const isSame = (a: StageKey, b: StageKey) => a.run === b.run && a.stage === b.stage;
const nameOf = ({ run, stage }: QueuedStage) => `${run}/${stage}`;
