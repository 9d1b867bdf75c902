/** Deletes marked objects after their grace. Any process may do so, several at once, and go on after another's death. */
import { Failure } from '../../contracts/failures.ts';
import { keyOf } from '../../stores/objects/keys.ts';
import {
  abandonDeletion,
  beginDeletion,
  type DueOptions,
  endDeletion,
  listDue,
} from '../../stores/steps/deletion-marks.ts';
import type { WatchedStores } from '../dependencies.ts';

/**
 * Longer than a request to S3 is waited for with all its retries: a deletion that its process did not end is not under
 * way any more.
 */
export const TAKE_OVER_SECONDS = 600;

/** Objects that are deleted after one commit. */
const AT_ONCE = 200;

export interface Deletion {
  objects: number;
  bytes: number;
}

/** Deletes what is due: the object first, then its mark. A kill between the two deletes it once more. */
export async function deleteDueObjects(
  { database, objects, failpoints }: WatchedStores,
  { limit = AT_ONCE, ...due }: DueOptions & { limit?: number },
): Promise<Deletion> {
  const done = { objects: 0, bytes: 0 };
  for (const { uri, bytes } of await listDue(database, objects.bucket, { ...due, limit })) {
    const since = await beginDeletion(database, uri, due);
    if (since === null) continue;
    failpoints.reached('object-deleting', 0);
    await objects.delete(keyOf({ uri })).catch(async (error: unknown) => {
      // Where no answer came, the request may still be under way.
      if (error instanceof Failure && !error.retryable) await abandonDeletion(database, uri, since);
      throw error;
    });
    failpoints.reached('object-deleted', 0);
    await endDeletion(database, uri, since);
    done.objects += 1;
    done.bytes += bytes;
  }
  return done;
}
