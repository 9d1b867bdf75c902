import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRun } from '../../stores/runs/runs.ts';
import { uniform } from '../engine/fixtures.ts';
import {
  awaitRest,
  type Crew,
  type Ground,
  launchRun,
  openGround,
  processNamed,
  runThrough,
  startCrew,
} from './ground.ts';
import { type Outcome, objectsLeft, ofCheckpoint, outcomeOf } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 900_000 };

interface Kill {
  failpoints: string[];
  /** objects of a superseded term that nobody reads */
  left?: string[];
}

/**
 * Between the checkpoint of step 5 and every kill lie a reference refresh, a live change of the learning rate (both
 * at step 7), the later iterations of one rollout and a new rollout by dynamic sampling (step 9).
 */
const KILLS: Record<string, Kill> = {
  'half of a request is sampled': { failpoints: ['sampling:9'] },
  'a batch lies in S3 without its row': { failpoints: ['batch-object:9'] },
  'a batch is committed and not trained': { failpoints: ['batch-row:9'] },
  'a step is trained without its row': { failpoints: ['trained:9'] },
  'a step’s row is committed and the workflow does not know': { failpoints: ['step-row:9'] },
  'a checkpoint is staged and nothing of it is written': { failpoints: ['staged:10'] },
  'a checkpoint’s objects lie in S3 without their manifest': {
    failpoints: ['checkpoint-objects:10'],
    left: ofCheckpoint(10, ['model.safetensors', 'optimizer.safetensors']),
  },
  'a manifest lies in S3 without its row': {
    failpoints: ['manifest:10'],
    left: ofCheckpoint(10, ['manifest.json', 'model.safetensors', 'optimizer.safetensors']),
  },
  'a checkpoint’s row is committed and the workflow does not know': { failpoints: ['checkpoint-row:10'] },
  'the log is being replayed': { failpoints: ['trained:10', 'trained:8', 'trained:6'] },
  'a history is about to end': { failpoints: ['continuing'] },
  'one history has ended and the next has not begun': { failpoints: ['continued'] },
};

let ground: Ground;
let calm: Outcome;

before(async () => {
  ground = await openGround();
  assert.equal(await runThrough(ground, 'calm'), 'complete');
  calm = await outcomeOf(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

for (const [when, { failpoints, left = [] }] of Object.entries(KILLS)) {
  test(`killed when ${when}, a run ends in the same bits`, PATIENCE, async () => {
    const run = failpoints.join('-').replaceAll(':', '-');
    assert.equal(await runThrough(ground, run, failpoints), 'complete');
    const found = await outcomeOf(ground, run);
    assert.deepEqual(objectsLeft(found, calm), left);
    assert.deepEqual(found, { ...calm, objects: found.objects });
  });
}

/** Seconds from a launch to the kill: drawn within what a calm run takes at least. */
const WITHIN_SECONDS = 5;
const VICTIMS = ['orchestrator', 'rewards', 'trainer', 'temporal', 'postgres', 's3'] as const;

for (const [seed, victim] of [...VICTIMS, ...VICTIMS].entries()) {
  const seconds = Number((1 + WITHIN_SECONDS * uniform(seed + 1)()).toFixed(1));
  test(`${victim} killed ${seconds} s after the launch, a run ends in the same bits`, PATIENCE, async () => {
    const run = `random-${seed}`;
    const crew = await startCrew(ground, run);
    try {
      await launchRun(ground, run);
      await sleep(seconds * 1000);
      assert.equal((await getRun(await ground.connections.database(), run)).status, 'running');
      killOne(crew, victim);
      assert.equal(await awaitRest(ground, run), 'complete');
    } finally {
      await crew.stop();
    }
    const found = await outcomeOf(ground, run);
    assert.deepEqual(found, { ...calm, objects: found.objects });
    // What no batch names yet when its trainer dies is sampled again: that leaves objects, and loses none.
    objectsLeft(found, calm);
  });
}

function killOne(crew: Crew, name: string): void {
  const found = processNamed(ground, crew, name);
  assert.ok(found?.identity, `expected ${name} to run, found ${found?.state ?? 'none'}`);
  process.kill(found.identity.pid, 'SIGKILL');
}
