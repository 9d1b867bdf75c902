import type { CommitCheckpointInput } from '../../../contracts/activities.ts';
import type { CommittedCheckpoint } from '../../../contracts/stage-state.ts';
import { commitCheckpoint as insertCheckpoint } from '../../../stores/steps/checkpoints.ts';
import type { WatchedStores } from '../../dependencies.ts';

/** The commit of a checkpoint: its objects and manifest lie there, the row makes them count (rule 4). */
export async function commitCheckpoint(
  { database, failpoints }: Pick<WatchedStores, 'database' | 'failpoints'>,
  { key, term, checkpoint, acrossSeam }: CommitCheckpointInput,
): Promise<CommittedCheckpoint> {
  const { step: _, ...made } = checkpoint;
  const committed = await insertCheckpoint(database, { key, term, ...made, acrossSeam });
  failpoints.reached('checkpoint-row', key.step);
  return committed;
}
