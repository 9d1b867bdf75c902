import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { localWorkers, type WorkerSpec } from '../../infra/supervisor/workers.ts';
import {
  awaitRest,
  type Crew,
  type Ground,
  launchRun,
  openGround,
  runThrough,
  SAVED_STEP,
  startCrew,
} from './ground.ts';
import { type Outcome, objectsLeft, ofCheckpoint, outcomeOf } from './outcome.ts';

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
  'a trainer that was stopped while another took over writes nothing that anyone reads, says so and is free again',
  PATIENCE,
  async () => {
    const run = 'stopped-trainer';
    const crew = await startCrew(ground, run, {
      failpoints: [`checkpoint-objects:${SAVED_STEP}=stop`],
      workers: withSecond('trainer'),
    });
    try {
      await launchRun(ground, run);
      assert.equal(await awaitRest(ground, run), 'complete');
      const stopped = goOn(crew, 0);
      await says(crew, stopped, `releasing ${run}/zero term 1`);
      await says(crew, stopped, 'serving the queue train$', 2);
      assert.deepEqual(await termsRead(run), ['t2']);
      const found = await outcomeOf(ground, run);
      const written = ['manifest.json', 'model.safetensors', 'optimizer.safetensors'];
      assert.deepEqual(objectsLeft(found, calm), ofCheckpoint(SAVED_STEP, written));
      assert.deepEqual(found, { ...calm, objects: found.objects });
    } finally {
      await crew.stop();
    }
  },
);

test(
  'an orchestrator that was stopped with a batch in hand is refused, once another trainer has taken over',
  PATIENCE,
  async () => {
    const run = 'stopped-orchestrator';
    const crew = await startCrew(ground, run, {
      failpoints: ['batch-object:9=stop', 'trained:9'],
      workers: withSecond('orchestrator'),
    });
    try {
      await launchRun(ground, run);
      assert.equal(await awaitRest(ground, run), 'complete');
      const stopped = goOn(crew, 0);
      await says(crew, stopped, 'SupersededTerm.*expected the current term 2');
      assert.deepEqual(await outcomeOf(ground, run), calm);
    } finally {
      await crew.stop();
    }
  },
);

/** The workers, and one more of this kind. */
function withSecond(name: string): WorkerSpec[] {
  const workers = localWorkers();
  return workers.flatMap((spec) => (spec.name === name ? [spec, { ...spec, name: `${name}-2` }] : [spec]));
}

/** Wakes the process that stopped at the failpoint; returns its name. */
function goOn(crew: Crew, failpoint: number): string {
  const pid = Number(readFileSync(join(crew.settings.home, 'failpoints', String(failpoint)), 'utf8'));
  const found = crew.state().processes.find(({ identity }) => identity?.pid === pid);
  assert.ok(found, `expected process ${pid} to be there still`);
  process.kill(pid, 'SIGCONT');
  return found.name;
}

/** Waits until a worker's log has so many lines like this. */
async function says(crew: Crew, worker: string, line: string, times = 1): Promise<void> {
  const pattern = new RegExp(line, 'gms');
  for (;;) {
    const found = readFileSync(crew.log(worker), 'utf8').match(pattern) ?? [];
    if (found.length >= times) return;
    await sleep(100);
  }
}

/** Terms in the names of the objects that the checkpoints after the stop consist of. */
async function termsRead(run: string): Promise<string[]> {
  const database = await ground.connections.database();
  const rows = await database.query<{ uri: string }>(
    `SELECT manifest ->> 'uri' AS uri FROM checkpoints WHERE run = $1`,
    [run],
  );
  return [...new Set(rows.map(({ uri }) => /\/(t\d+)\/manifest/.exec(uri)?.[1] ?? uri))];
}
