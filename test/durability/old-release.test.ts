/** A run that an earlier release has left in the middle of a stage goes on with this one (`test/fixtures/release-1`). */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { noFailpoints } from '../../activities/failpoints.ts';
import { makeBatch } from '../../activities/orchestrator/rollouts/make-batch.ts';
import { readLoggedBatch } from '../../activities/records.ts';
import { startRunWorkflow } from '../../cli/run/workflow-client.ts';
import type { BatchRecord } from '../../contracts/records.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { CurrentRollout } from '../../contracts/stage-state.ts';
import { startStack, stopStack } from '../../infra/stack.ts';
import type { Database } from '../../stores/database/database.ts';
import type { DecodedRecord } from '../../stores/objects/records.ts';
import {
  interruptedRecipe,
  OUTCOME,
  RUN,
  RUN_FOLDER,
  type RunOutcome,
  runOutcome,
  STOPPED_STEP,
} from '../fixtures/release-1/interrupted.ts';
import { restoreRun } from '../fixtures/run-dump.ts';
import { awaitRest, connect, type Ground, STAGE, serverSettings, startCrew } from './ground.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

const expected = JSON.parse(readFileSync(OUTCOME, 'utf8')) as RunOutcome;

/** Servers of its own that hold the old run's rows and objects. Its base was imported: no folder of it is needed. */
async function openRestored(): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'r1-old-release-'));
  const settings = serverSettings(folder);
  const stack = await startStack({ settings, workers: false });
  const connections = await connect(stack);
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const close = async () => {
    await Promise.allSettled([database.close(), (await connections.temporal()).connection.close()]);
    objects.close();
    await stopStack({ settings, purge: true });
    rmSync(folder, { recursive: true, force: true });
  };
  const ground = { folder, settings, stack, connections, recipe: interruptedRecipe('not read'), close };
  try {
    await restoreRun({ database, objects }, RUN_FOLDER);
    return ground;
  } catch (error) {
    await close();
    throw error;
  }
}

async function continuedWith(ground: Ground, threads: number): Promise<RunOutcome> {
  const crew = await startCrew(ground, 'crew', { threads });
  try {
    await startRunWorkflow(await ground.connections.temporal(), { run: RUN, summary: RUN });
    assert.equal(await awaitRest(ground, RUN), 'complete');
    return await runOutcome(await ground.connections.database());
  } finally {
    await crew.stop();
  }
}

/** The first step that this machine trained, by its row. */
const firstNew = ({ steps }: RunOutcome) => steps.find(({ step }) => step === STOPPED_STEP);

function assertNumericsChange(found: RunOutcome): void {
  assert.deepEqual(
    found.steps.map(({ step }) => step),
    expected.steps.map(({ step }) => step),
  );
  assert.deepEqual(
    found.steps.flatMap(({ step, seam }) => (seam ? [step] : [])),
    [STOPPED_STEP],
  );
  const before = ({ step }: { step: number }) => step < STOPPED_STEP;
  assert.deepEqual(found.steps.filter(before), expected.steps.filter(before));
}

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

test('under other numerics it ends, and the change is recorded at its first new step', PATIENCE, async () => {
  const ground = await openRestored();
  try {
    assertNumericsChange(await continuedWith(ground, 2));
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

function asBatch({ record, ...decoded }: Awaited<ReturnType<typeof readLoggedBatch>>) {
  assert.equal(record.kind, 'batch');
  return { ...decoded, record } as DecodedRecord<BatchRecord>;
}
