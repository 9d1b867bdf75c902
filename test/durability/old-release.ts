/** The run that release 0.1.0 has left in the middle of a stage (`test/fixtures/release-1`), restored and continued. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRunWorkflow } from '../../cli/run/workflow-client.ts';
import { startStack, stopStack } from '../../infra/stack.ts';
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
import { awaitRest, connect, type Ground, serverSettings, startCrew } from './ground.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
export const PATIENCE = { timeout: 600_000 };

export const expected = JSON.parse(readFileSync(OUTCOME, 'utf8')) as RunOutcome;

/** Servers of its own that hold the old run's rows and objects. Its base was imported: no folder of it is needed. */
export async function openRestored(): Promise<Ground> {
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

export async function continuedWith(ground: Ground, threads: number): Promise<RunOutcome> {
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
export const firstNew = ({ steps }: RunOutcome) => steps.find(({ step }) => step === STOPPED_STEP);

export function assertNumericsChange(found: RunOutcome): void {
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
