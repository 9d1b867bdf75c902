import type { CommitCheckpointInput, CommittedCheckpoint } from '../contracts/activities.ts';
import { commitCheckpoint as insertCheckpoint } from '../stores/checkpoints.ts';
import type { Stores } from './dependencies.ts';

/** The commit of a checkpoint: its objects and manifest lie there, the row makes them count (rule 4). */
export async function commitCheckpoint(
  { database }: Pick<Stores, 'database'>,
  { key, term, checkpoint }: CommitCheckpointInput,
): Promise<CommittedCheckpoint> {
  const { manifest, digests, bytes } = checkpoint;
  return await insertCheckpoint(database, { key, term, manifest, digests, bytes });
}
