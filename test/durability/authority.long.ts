import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { queryProgress, startRunWorkflow } from '../../cli/run/workflow-client.ts';
import { messages, runWorkflowId, stageWorkflowId } from '../../contracts/workflows.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { tell } from './command.ts';
import {
  awaitRest,
  awaitStatus,
  awaitStep,
  type Ground,
  LAST_STEP,
  lastStep,
  launchRun,
  openGround,
  runThrough,
  STAGE,
  startCrew,
} from './ground.ts';
import { type Outcome, objectsLeft, outcomeOf, withoutCheckpoint } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let calm: Outcome;

before(async () => {
  ground = await openGround();
  assert.equal(await runThrough(ground, 'calm'), 'complete');
  calm = await outcomeOf(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

test(
  'rows ahead of the history are adopted: a run whose history is lost goes on from its rows to the same bits',
  PATIENCE,
  async () => {
    const run = 'history-lost';
    const crew = await startCrew(ground, run);
    try {
      await launchRun(ground, run);
      await awaitStep(ground, run, 8);
      const client = await ground.connections.temporal();
      await loseHistory(client, run);
      await startRunWorkflow(client, { run, summary: run });
      assert.equal(await awaitRest(ground, run), 'complete');
    } finally {
      await crew.stop();
    }
    const found = await outcomeOf(ground, run);
    assert.deepEqual(found, { ...calm, objects: found.objects });
    // What was under way when the history went is done again.
    objectsLeft(found, calm);
  },
);

test(
  'a history ahead of the rows parks its stage with both steps shown, and goes on once the rows are restored',
  PATIENCE,
  async () => {
    const run = 'rows-restored';
    const crew = await startCrew(ground, run);
    try {
      await launchRun(ground, run);
      await awaitStep(ground, run, 6);
      await tell(ground, run, messages.pause);
      assert.equal(await awaitRest(ground, run), 'paused');
      const paused = await lastStep(await ground.connections.database(), run);
      assert.ok(paused < LAST_STEP, `expected to pause before the last step, found step ${paused}`);
      await dropRowsAfter(run, 3);
      await tell(ground, run, messages.resume, {});
      await awaitStatus(ground, run, 'parked');
      await assertBothAreShown(run, paused, 3);
      await restoreRows();
      await tell(ground, run, messages.resume, {});
      await awaitStatus(ground, run, 'complete');
      const found = await outcomeOf(ground, run);
      assert.deepEqual(withoutCheckpoint(found, paused), withoutCheckpoint(calm, paused));
    } finally {
      await crew.stop();
    }
  },
);

/** Ends run and stage as if the server had never heard of them; nothing of theirs is told to anyone. */
async function loseHistory(client: Client, run: string): Promise<void> {
  await client.workflow.getHandle(runWorkflowId(run)).terminate('lost');
  const stage = client.workflow.getHandle(stageWorkflowId({ run, stage: STAGE }));
  while ((await stage.describe()).status.name === 'RUNNING') await sleep(50);
}

async function assertBothAreShown(run: string, history: number, rows: number): Promise<void> {
  const { connections } = ground;
  const { reason } = await getRun(await connections.database(), run);
  const progress = await queryProgress(await connections.temporal(), { run, stage: STAGE });
  for (const shown of [reason, progress?.detail])
    assert.match(shown ?? '', new RegExp(`HistoryAhead.*step ${history}.*step ${rows}`));
}

/** In the order in which each hangs on those before it. */
const LOG_TABLES = [
  ['batches', 'step'],
  ['prompt_uses', 'first_step'],
  ['steps', 'step'],
  ['checkpoints', 'step'],
] as const;

/** As a backup of an earlier moment would have it. */
async function dropRowsAfter(run: string, step: number): Promise<void> {
  const database = await ground.connections.database();
  await database.transaction(async (tx) => {
    for (const [table, column] of [...LOG_TABLES].reverse()) {
      await tx.query(
        `CREATE TABLE kept_${table} AS SELECT * FROM ${table} WHERE run = '${run}' AND ${column} > ${step}`,
      );
      await tx.query(`DELETE FROM ${table} WHERE run = $1 AND ${column} > $2`, [run, step]);
    }
  });
}

async function restoreRows(): Promise<void> {
  const database = await ground.connections.database();
  await database.transaction(async (tx) => {
    for (const [table] of LOG_TABLES) await tx.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
  });
}
