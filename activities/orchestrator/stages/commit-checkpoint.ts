import type { CommitCheckpointInput } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { CommittedCheckpoint } from '../../../contracts/stage-state.ts';
import { keyOf } from '../../../stores/objects/keys.ts';
import { commitCheckpoint as insertCheckpoint } from '../../../stores/steps/checkpoints.ts';
import type { OrchestratorContext } from '../../dependencies.ts';
import { planOf, stagePlanOf } from '../../plan-of.ts';
import { retainCheckpoints } from '../../retention/delete-checkpoints.ts';
import { deleteDueObjects, TAKE_OVER_SECONDS } from '../../retention/delete-objects.ts';

/**
 * Commits a checkpoint: its objects and manifest are written, the row makes them valid (rule 4). Then deletes the
 * checkpoints that it makes superfluous, and objects whose grace is over. Where objects are being deleted that the
 * checkpoint refers to, those deletions end first.
 */
export async function commitCheckpoint(
  context: OrchestratorContext,
  { key, term, checkpoint, acrossSeam }: CommitCheckpointInput,
): Promise<CommittedCheckpoint> {
  const { database, objects, failpoints } = context;
  const { manifest, digests, policy, bytes, seconds } = checkpoint;
  await deleteWhatIsDue(context);
  const committed = await insertCheckpoint(
    database,
    { key, term, manifest, digests, policy, bytes, seconds, acrossSeam },
    (uri) => objects.exists(keyOf({ uri })),
  );
  failpoints.reached('checkpoint-row', key.step);
  const { options } = stagePlanOf(await planOf(database, key.run), key.stage);
  await retainCheckpoints(context, key, options);
  return committed;
}

/** Training does not depend on it: what S3 refuses to delete stays marked, and `r1 gc` shows the error. */
async function deleteWhatIsDue(context: OrchestratorContext): Promise<void> {
  const { graceSeconds } = context;
  try {
    await deleteDueObjects(context, { graceSeconds, takeOverSeconds: TAKE_OVER_SECONDS });
  } catch (error) {
    if (!(error instanceof Failure) || error.retryable) throw error;
  }
}
