import type { CommitCheckpointInput } from '../../../contracts/activities.ts';
import type { CommittedCheckpoint } from '../../../contracts/stage-state.ts';
import { commitCheckpoint as insertCheckpoint } from '../../../stores/steps/checkpoints.ts';
import type { WatchedStores } from '../../dependencies.ts';

/** Commits a checkpoint: its objects and manifest are written, the row makes them valid (rule 4). */
export async function commitCheckpoint(
  { database, failpoints }: Pick<WatchedStores, 'database' | 'failpoints'>,
  { key, term, checkpoint, acrossSeam }: CommitCheckpointInput,
): Promise<CommittedCheckpoint> {
  const { manifest, digests, policy, bytes, seconds } = checkpoint;
  const made = { manifest, digests, policy, bytes, seconds };
  const committed = await insertCheckpoint(database, { key, term, ...made, acrossSeam });
  failpoints.reached('checkpoint-row', key.step);
  return committed;
}
