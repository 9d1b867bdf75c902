import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchedStores } from '../../../activities/dependencies.ts';
import { type Failpoints, noFailpoints } from '../../../activities/failpoints.ts';
import { retainCheckpoints } from '../../../activities/retention/delete-checkpoints.ts';
import { deleteDueObjects } from '../../../activities/retention/delete-objects.ts';
import { findOrphans } from '../../../activities/retention/find-orphans.ts';
import { collect } from '../../../cli/run/gc.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { Database } from '../../../stores/database/database.ts';
import { keyOf, keys } from '../../../stores/objects/keys.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { commitCheckpoint, findCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { listMarks, markObjects } from '../../../stores/steps/deletion-marks.ts';
import { listDeleted } from '../../../stores/steps/retention.ts';
import { BRANCH, checkpointOf, claim, claimedRun, digest, failure, KEY } from '../../stores/helpers.ts';
import { storeOf } from '../../stores/object-helpers.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const NOW = { graceSeconds: 0, takeOverSeconds: 0 };
const options = { max_steps: 8, save_steps: 2, save_total_limit: 1 };

/** A database with a run of eight steps, and an empty bucket. */
async function storesOf(t: TestContext): Promise<WatchedStores & { term: number }> {
  const { database, term } = await claimedRun(t, 8);
  const { store: objects } = await storeOf(t);
  return { database, objects, term, failpoints: noFailpoints };
}

/** Writes a checkpoint's objects as a trainer does, and commits it; a reference policy is shared by its name. */
async function save(
  { database, objects, term }: WatchedStores & { term: number },
  step: number,
  ref: string,
) {
  const { key, digests, ...rest } = checkpointOf(step, term);
  const at = (file: string) => keys.checkpointFile({ ...BRANCH, term }, step, file);
  await objects.put(at('model.safetensors'), bytes(`weights ${step}`));
  await objects.put(keys.referencePolicy(digest(ref)), bytes(ref));
  const manifest = await objects.put(at('manifest.json'), bytes(`manifest ${step}`));
  const made = { ...rest, key, manifest, digests: { ...digests, reference: digest(ref) } };
  await commitCheckpoint(database, made, (uri) => objects.exists(keyOf({ uri })));
  return manifest.uri;
}

const stepsIn = async (database: Database) =>
  (await database.query<{ step: number }>('SELECT step FROM checkpoints ORDER BY step')).map(
    ({ step }) => step,
  );
const objectsIn = async (objects: ObjectStore) => (await objects.list('')).map(({ key }) => key);

test('a deleted checkpoint loses its row at once, and its objects after the grace; a shared one stays', async (t) => {
  const stores = await storesOf(t);
  const { database, objects } = stores;
  await save(stores, 2, 'first');
  await save(stores, 4, 'second');
  const uri = await save(stores, 6, 'second');
  await retainCheckpoints(stores, KEY, { ...options, save_total_limit: undefined });
  assert.deepEqual(await stepsIn(database), [2, 4, 6]);
  await retainCheckpoints(stores, KEY, options);
  assert.deepEqual(await stepsIn(database), [6]);
  assert.equal((await listMarks(database, objects.bucket)).length, 5);
  assert.equal((await objects.list('')).length, 8);
  assert.deepEqual(await deleteDueObjects(stores, { graceSeconds: 3_600, takeOverSeconds: 0 }), {
    objects: 0,
    bytes: 0,
  });
  assert.equal((await deleteDueObjects(stores, NOW)).objects, 5);
  assert.deepEqual(await listMarks(database, objects.bucket), []);
  const folder = keyOf({ uri }).replace('manifest.json', '');
  assert.deepEqual(await objectsIn(objects), [
    keys.referencePolicy(digest('second')),
    `${folder}manifest.json`,
    `${folder}model.safetensors`,
  ]);
});

test('a deleted checkpoint that is named is refused with the reason and those that exist', async (t) => {
  const stores = await storesOf(t);
  const deleted = await save(stores, 2, 'first');
  await save(stores, 4, 'first');
  await retainCheckpoints(stores, KEY, options);
  const message = ['deleted', 'save_total_limit', 'Those that exist: calm/zero@4', 'r1 resume calm --from 2'];
  for (const name of ['calm/zero@2', 'calm@2', 'latest/zero@2', deleted])
    await assert.rejects(findCheckpoint(stores.database, name), failure('InvalidInput', ...message));
  await assert.rejects(
    findCheckpoint(stores.database, 'calm@3'),
    failure('InvalidInput', 'found none named'),
  );
  assert.equal((await findCheckpoint(stores.database, 'calm')).step, 4);
  const [row, ...others] = await listDeleted(stores.database, 'calm');
  assert.deepEqual([row?.step, row?.uri, row?.bytes, others], [2, deleted, 3_000_000_000, []]);
});

test('what another row refers to stays', async (t) => {
  const stores = await storesOf(t);
  const { database } = stores;
  const uri = await save(stores, 2, 'first');
  await save(stores, 4, 'first');
  await database.query(
    `UPDATE stages SET initial_manifest = jsonb_build_object('uri', $1::text, 'sha256', '', 'bytes', 1)`,
    [uri],
  );
  await retainCheckpoints(stores, KEY, options);
  assert.deepEqual(await stepsIn(database), [2, 4]);
});

test('objects of a checkpoint that was never committed are found once its term is superseded, and `r1 gc` deletes them', async (t) => {
  const stores = await storesOf(t);
  const { database, objects, term } = stores;
  await save(stores, 2, 'first');
  const lost = keys.checkpointFile({ ...BRANCH, term }, 4, 'model.safetensors');
  await objects.put(lost, bytes('weights 4'));
  await objects.put(keys.referencePolicy(digest('lost')), bytes('lost'));
  const found = async () => (await findOrphans(stores)).map(({ uri }) => keyOf({ uri }));
  assert.deepEqual(await found(), [keys.referencePolicy(digest('lost'))]);
  await claim(database);
  assert.deepEqual(await found(), [lost, keys.referencePolicy(digest('lost'))]);
  const before = await objectsIn(objects);
  const planned = await collect(stores, 0, true);
  assert.deepEqual([planned.objects.length, await objectsIn(objects)], [2, before]);
  const later = await collect(stores, 3_600, false);
  assert.deepEqual([later.deleted.objects, later.objects.length], [0, 2]);
  const now = await collect(stores, 0, false);
  assert.deepEqual([now.deleted.objects, now.objects], [2, []]);
  assert.equal((await objectsIn(objects)).length, 3);
});

/** Ends the call at a point, as a kill does. */
const endAt = (place: string): Failpoints => ({
  armed: () => false,
  reached: (point) => {
    if (point === place) throw new Error(place);
    return null;
  },
});

test('ended at any point, no row names a missing object, and every object is deleted by whoever goes on', async (t) => {
  const stores = await storesOf(t);
  const { database, objects } = stores;
  await save(stores, 2, 'policy 2');
  const places = ['checkpoint-deleted', 'object-deleting', 'object-deleted'] as const;
  for (const [index, place] of places.entries()) {
    const step = 2 * index + 4;
    await save(stores, step, `policy ${step}`);
    const ended = { ...stores, failpoints: endAt(place) };
    await assert.rejects(async () => {
      await retainCheckpoints(ended, KEY, options);
      await deleteDueObjects(ended, NOW);
    }, new Error(place));
    assert.deepEqual(await stepsIn(database), [step]);
    const latest = await findCheckpoint(database, 'calm');
    assert(await objects.exists(keyOf(latest.manifest)));
    // One that is under way is left to its process.
    await deleteDueObjects(stores, { graceSeconds: 0, takeOverSeconds: 600 });
    const left = await listMarks(database, objects.bucket);
    assert.equal(left.length, place === 'checkpoint-deleted' ? 0 : 1);
    await deleteDueObjects(stores, NOW);
    assert.deepEqual(await listMarks(database, objects.bucket), []);
    assert.equal((await objects.list('')).length, 3, place);
  }
});

test('a commit during a deletion waits for its end, and then has the object written again', async (t) => {
  const stores = await storesOf(t);
  const { database, objects } = stores;
  await save(stores, 2, 'first');
  await save(stores, 4, 'second');
  await retainCheckpoints(stores, KEY, options);
  await assert.rejects(
    deleteDueObjects({ ...stores, failpoints: endAt('object-deleted') }, NOW),
    new Error('object-deleted'),
  );
  await deleteDueObjects(stores, { ...NOW, limit: 1 });
  await assert.rejects(
    deleteDueObjects({ ...stores, failpoints: endAt('object-deleting') }, NOW),
    new Error('object-deleting'),
  );
  await assert.rejects(save(stores, 6, 'first'), failure('Unavailable', 'is being deleted'));
  await deleteDueObjects(stores, NOW);
  const { key, digests, ...rest } = checkpointOf(6, stores.term);
  const manifest = { ...rest.manifest, uri: `s3://${objects.bucket}/manifest` };
  const made = { ...rest, key, manifest, digests: { ...digests, reference: digest('first') } };
  const exists = (uri: string) => objects.exists(keyOf({ uri }));
  await assert.rejects(commitCheckpoint(database, made, exists), failure('TrainerLost', 'found none'));
  await save(stores, 6, 'first');
  assert.deepEqual(await stepsIn(database), [4, 6]);
});

/** How many of them meet a deletion depends on the machine; the test above makes each kind of meeting. */
const ROUNDS = 25;

test('while commits find an object again that others delete, no row ever names a missing object', async (t) => {
  const stores = await storesOf(t);
  const { database, objects } = stores;
  const shared = keys.referencePolicy(digest('shared'));
  const mark = { uri: `s3://${objects.bucket}/${shared}`, bytes: 1, reason: 'test' };
  let commits = 0;
  let repeated = 0;
  const isDone = () => commits >= ROUNDS;

  const write = async () => {
    while (!isDone()) {
      await objects.put(shared, bytes('shared'));
      await sleep(Math.random() * 4);
      const { digests, ...made } = checkpointOf(1 + (commits % 8), stores.term);
      const manifest = { ...made.manifest, uri: `s3://${objects.bucket}/manifest` };
      const checkpoint = { ...made, manifest, digests: { ...digests, reference: digest('shared') } };
      try {
        await commitCheckpoint(database, checkpoint, (uri) => objects.exists(keyOf({ uri })));
        commits += 1;
      } catch (error) {
        const again = error instanceof Failure && ['Unavailable', 'TrainerLost'].includes(error.kind);
        if (!again) throw error;
        repeated += 1;
      }
    }
  };
  const forget = async () => {
    while (!isDone()) {
      await database.transaction(async (tx) => {
        await tx.query('DELETE FROM checkpoints');
        await markObjects(tx, [mark]);
      });
      await sleep(Math.random() * 6);
    }
  };
  const erase = async () => {
    while (!isDone()) {
      await deleteDueObjects(stores, { graceSeconds: 0, takeOverSeconds: 600 });
      await sleep(Math.random() * 2);
    }
  };
  // A row that is there before and after the object is looked for was there meanwhile: rows are not made twice.
  const rows = () => database.query<{ at: string }>('SELECT committed_at::text AS at FROM checkpoints');
  const watch = async () => {
    while (!isDone()) {
      await sleep(2);
      const before = await rows();
      if (before.length > 0 && !(await objects.exists(shared))) {
        const after = new Set((await rows()).map(({ at }) => at));
        assert.deepEqual(
          before.filter(({ at }) => after.has(at)),
          [],
        );
      }
    }
  };
  await Promise.all([write(), forget(), erase(), erase(), watch()]);
  t.diagnostic(`${commits} commits, ${repeated} repeated`);
  assert.equal(commits, ROUNDS);
  await database.transaction(async (tx) => {
    await tx.query('DELETE FROM checkpoints');
    await markObjects(tx, [mark]);
  });
  await deleteDueObjects(stores, NOW);
  assert.deepEqual(await objectsIn(objects), []);
});
