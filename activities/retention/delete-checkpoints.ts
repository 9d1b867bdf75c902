/** Deletes the checkpoints that a stage's options do not keep: the row first, then after a grace the objects. */
import type { StageKey } from '../../contracts/identity.ts';
import { folderOf, keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import {
  type DeletedCheckpoint,
  deleteCheckpoints,
  retentionOf,
  type StageCheckpoint,
  type StageRetention,
} from '../../stores/steps/retention.ts';
import type { WatchedStores } from '../dependencies.ts';

/** Rows of one transaction. */
const AT_ONCE = 32;

/** Does nothing where the options have no limit. */
export async function retainCheckpoints(
  { database, objects, failpoints }: WatchedStores,
  key: StageKey,
  options: StageRetention,
): Promise<void> {
  if (options.save_total_limit === undefined) return;
  const { deleted } = await retentionOf(database, key, options);
  for (let begin = 0; begin < deleted.length; begin += AT_ONCE) {
    const some = deleted.slice(begin, begin + AT_ONCE);
    const withObjects = await Promise.all(some.map((each) => withItsObjects(objects, each)));
    await deleteCheckpoints(database, key, options, withObjects);
  }
  const [last] = deleted.slice(-1);
  if (last !== undefined) failpoints.reached('checkpoint-deleted', last.step);
}

/** Everything in the checkpoint's own folder, and the reference policy, which others may share. */
async function withItsObjects(
  objects: ObjectStore,
  { branch, step, manifest, digests }: StageCheckpoint,
): Promise<DeletedCheckpoint> {
  const uriOf = (key: string) => `s3://${objects.bucket}/${key}`;
  const folder = `${folderOf(manifest)}/`;
  const shared = digests.reference === null ? [] : await sharedObject(objects, digests.reference);
  const own = await objects.list(folder);
  return { branch, step, objects: [...own, ...shared].map(({ key, bytes }) => ({ uri: uriOf(key), bytes })) };
}

const sharedObject = (objects: ObjectStore, digest: string) => objects.list(keys.referencePolicy(digest));
