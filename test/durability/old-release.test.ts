/** A run that an earlier release has left in the middle of a stage goes on with this one (`test/fixtures/release-1`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { noFailpoints } from '../../activities/failpoints.ts';
import { makeBatch } from '../../activities/orchestrator/rollouts/make-batch.ts';
import { isReinforcement, type LoggedBatch, readLoggedBatch } from '../../activities/records/logged-batch.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { CurrentRollout } from '../../contracts/stage-state.ts';
import type { Database } from '../../stores/database/database.ts';
import type { DecodedRecord } from '../../stores/objects/records.ts';
import { RUN, STOPPED_STEP } from '../fixtures/release-1/interrupted.ts';
import { STAGE } from './ground.ts';
import {
  assertNumericsChange,
  continuedWith,
  expected,
  firstNew,
  openRestored,
  PATIENCE,
} from './old-release.ts';

test('batches made again of an earlier release’s rollouts hold the same numbers', PATIENCE, async () => {
  const ground = await openRestored();
  try {
    const [database, objects] = await Promise.all([
      ground.connections.database(),
      ground.connections.objects(),
    ]);
    const logged = await loggedBatches(database);
    assert.equal(logged.length, STOPPED_STEP);
    for (const { step, term, hand, batch } of logged.reverse()) {
      const old = asBatch(await readLoggedBatch(objects, batch));
      await forgetFrom(database, step);
      const made = await makeBatch(
        { database, objects, failpoints: noFailpoints },
        {
          key: { run: RUN, stage: STAGE, branch: 0, step },
          term,
          hand,
          digestBefore: old.record.digestBefore,
          referenceDigest: old.record.referenceDigest,
          onPolicy: step === hand.firstStep,
        },
      );
      const again = asBatch(await readLoggedBatch(objects, made.batch));
      const { numbers, refreshReference, cursorAfter, policyDigest } = old.record;
      assert.deepEqual(again.record.numbers, numbers);
      assert.equal(again.record.old, old.record.old);
      assert.deepEqual(again.record.refreshReference, refreshReference);
      assert.deepEqual(again.record.cursorAfter, cursorAfter);
      assert.equal(again.record.policyDigest, policyDigest);
      for (const [name, tensor] of old.tensors)
        assert.deepEqual(again.tensors.get(name), tensor, `step ${step}: ${name}`);
    }
  } finally {
    await ground.close();
  }
});

test('it ends in the digests in which it ended with the earlier release', PATIENCE, async (t) => {
  const ground = await openRestored();
  try {
    const [recorded] = expected.steps;
    const found = await continuedWith(ground, 1);
    if (isDeepStrictEqual(firstNew(found)?.numerics, recorded?.numerics)) {
      assert.deepEqual(found, expected);
      return;
    }
    t.diagnostic(
      `digests are not compared: expected numerics ${JSON.stringify(recorded?.numerics)}, found those of this ` +
        `machine, ${JSON.stringify(firstNew(found)?.numerics)}`,
    );
    assertNumericsChange(found);
  } finally {
    await ground.close();
  }
});

interface Logged {
  step: number;
  /** the current one of the branch: an older one may not write */
  term: number;
  hand: CurrentRollout;
  batch: Reference;
}

const loggedBatches = (database: Database) =>
  database.query<Logged>(
    `SELECT b.step, b.hand, b.batch, (SELECT max(t.term) FROM terms t WHERE t.run = $1) AS term
     FROM batches b WHERE b.run = $1 ORDER BY b.step`,
    [RUN],
  );

/** Removes the rows of a step and of all after it. */
async function forgetFrom(database: Database, step: number): Promise<void> {
  const columns = { checkpoints: 'step', steps: 'step', prompt_uses: 'first_step', batches: 'step' };
  for (const [table, column] of Object.entries(columns))
    await database.query(`DELETE FROM ${table} WHERE run = $1 AND ${column} >= $2`, [RUN, step]);
}

function asBatch(batch: Awaited<ReturnType<typeof readLoggedBatch>>): DecodedRecord<LoggedBatch> {
  assert.ok(isReinforcement(batch));
  return batch;
}
