/** A trainer's watch over its own calls: heartbeats with progress, and a call without any is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { readJsonFile, readManifest } from '../../activities/checkpoints/checkpoint-files.ts';
import { reportProgress, trackedEngine } from '../../activities/trainer/progress.ts';
import { heartbeatSchema } from '../../contracts/training.ts';
import type { EngineProgress, EngineThread } from '../../engine/service/thread.ts';
import { startEngineThread } from '../../engine/service/thread.ts';
import { activityDuties } from '../../workers/activity-duties.ts';
import { watchCalls } from '../../workers/call-watch.ts';
import { memoryObjects } from '../activities/memory-objects.ts';
import { engineHere, importTinyPolicy } from '../activities/tiny-policy.ts';

const SECOND = 1_000;
const isLost = (error: unknown) => error instanceof Error && error.name === 'TrainerLost';

/** An engine that computes until it is let go, and whose progress a test sets. */
function heldEngine() {
  const progress: EngineProgress = { phase: 'training', done: 0, of: 4, tokens: 0 };
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const call = (async () => held) as EngineThread['call'];
  const engine = trackedEngine({ ...engineHere().engine, call, progress: () => progress });
  return { engine, progress, letGo };
}

test('every heartbeat says phase, step, what is done and of how much', async () => {
  const { engine, progress, letGo } = heldEngine();
  let now = 0;
  const watch = watchCalls({ step: () => 7, onLost: () => assert.fail('lost'), clock: () => now });
  const call = watch('trainStep');
  const running = call.run(async () => {
    await engine.call('release');
    reportProgress('writing', 3, 9);
    await sleep(1);
    assert.deepEqual(heartbeatSchema.parse(call.beat()), {
      version: 2,
      phase: 'writing',
      step: 7,
      done: 3,
      of: 9,
      tokens: 5,
    });
  });
  Object.assign(progress, { done: 2, tokens: 5 });
  now += SECOND;
  assert.deepEqual(call.beat(), { version: 2, phase: 'training', step: 7, done: 2, of: 4, tokens: 5 });
  letGo();
  await running;
});

test('a call whose engine makes no progress is lost, by a fake clock; one that waits is not', async () => {
  const { engine, progress } = heldEngine();
  let now = 0;
  const reasons: string[] = [];
  const watch = watchCalls({ step: () => null, onLost: (reason) => reasons.push(reason), clock: () => now });
  const waiting = watch('sample');
  const frozen = watch('trainStep');
  void frozen.run(() => engine.call('release'));
  const beats = (seconds: number) => {
    for (let second = 0; second < seconds && reasons.length === 0; second += 1) {
      now += SECOND;
      waiting.beat();
      frozen.beat();
    }
  };
  beats(300);
  progress.done = 1;
  beats(899);
  assert.deepEqual(reasons, []);
  beats(10);
  assert.deepEqual(reasons, ['trainStep: no progress for 900 s at 1 of 4 (training)']);
  await assert.rejects(frozen.lost, isLost);
});

test('a frozen engine is noticed by its worker, and the call fails as lost', {
  timeout: 120_000,
}, async () => {
  const objects = memoryObjects();
  const base = await importTinyPolicy(objects);
  const manifest = await readManifest(objects, base.manifest);
  const thread = startEngineThread({ threads: 1 });
  const engine = trackedEngine(thread);
  try {
    const weights = manifest.files['model.safetensors'];
    assert.ok(weights);
    const config = await readJsonFile(objects, manifest, 'config.json');
    const model = await objects.get(weights);
    await engine.call('load', { config, model, moments: null, reference: null, withReference: false });
    thread.holdSampling(1, () => false);
    const reasons: string[] = [];
    const limits = { floor: 0, factor: 0, first: 3 * SECOND, longestLook: 5 * SECOND };
    const watch = watchCalls({ step: () => 0, onLost: (reason) => reasons.push(reason), limits });
    const environment = new MockActivityEnvironment();
    const duties = activityDuties({ watch });
    const sampled = environment.run(async () =>
      duties.execute?.({ args: [], headers: {} }, () =>
        engine.call('sample', {
          prompts: [Int32Array.of(1), Int32Array.of(2)],
          seeds: ['1', '2'],
          sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 8 },
          eosTokenIds: [0],
        }),
      ),
    );
    await assert.rejects(
      sampled,
      (error: unknown) => error instanceof Error && /no progress for/.test(error.message),
    );
    assert.equal(reasons.length, 1);
  } finally {
    await thread.close();
  }
});
