import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { CONTRACT_VERSION, callQueues, type TrainingCall } from '../../../contracts/training.ts';
import type { Case } from '../case.ts';
import { checkpointOf } from '../checkpoints.ts';
import { replay, storeRequest } from '../logged.ts';
import { type Trainer, untilTaken } from '../session.ts';
import { CallFailed } from '../temporal.ts';

/** A worker dies within each call: another one acquires, trains on the log, and has the same bits. */
export async function testCrashes(t: TestContext, { session, steps, shards }: Case): Promise<void> {
  const [first = assert.fail(), second = assert.fail()] = steps;
  const [shard = assert.fail()] = shards;
  const policy = first.result.policy;
  const wide = await storeRequest(session, { seed: 61, prompts: 200 });

  await t.test('killed in acquire', async () => {
    const worker = session.freeWorker();
    const input = {
      version: CONTRACT_VERSION,
      lease: session.nextLease(),
      checkpoint: session.base.manifest,
      withReference: true,
      policy: session.basePolicy,
    };
    const call = await session.start('acquire', callQueues.acquire, input);
    await untilTaken(call);
    await session.end(worker, 'SIGKILL');
    await call.abandon();
    const trainer = await session.acquire();
    await replay(trainer, steps);
    await trainer.release();
  });

  /** After the first step: the call that is cut short, and what comes before it. */
  const calls: [TrainingCall, object, ((trainer: Trainer) => Promise<unknown>)?][] = [
    ['sample', { request: wide, policy }],
    ['logprobs', { rollout: shard.rolloutAt, temperature: 1, of: ['old', 'reference'], policy }],
    ['trainStep', { batch: second.batch, expectedStep: 1, acrossSeam: false }],
    ['beginCheckpoint', { expectedStep: 1 }],
    ['finishCheckpoint', { step: 1 }, (trainer) => trainer.call('beginCheckpoint', { expectedStep: 1 })],
    ['release', {}],
  ];
  for (const [name, input, before] of calls) {
    await t.test(`killed in ${name}`, async () => {
      const trainer = await session.acquire();
      await replay(trainer, [first]);
      await before?.(trainer);
      const call = await trainer.start(name, input);
      await untilTaken(call);
      await trainer.kill();
      await call.abandon();
      const next = await session.acquire();
      await replay(next, steps);
      if (name === 'finishCheckpoint') await checkpointOf(next, steps.length);
      await next.release();
    });
  }

  await t.test('a worker that is stopped finishes its call, or ends it with TrainerLost', async () => {
    const trainer = await session.acquire();
    const request = await storeRequest(session, { seed: 62, prompts: 2_000 });
    const call = await trainer.start('sample', { request, policy: session.basePolicy });
    await untilTaken(call);
    const ended = session.end(trainer.worker, 'SIGTERM');
    const result = await call.result.catch((error: unknown) => error);
    if (result instanceof CallFailed) assert.equal(result.kind, 'TrainerLost', result.message);
    else session.parsed('sample', result);
    await ended;
  });
}

/** A process that does not run is noticed by its heartbeats; when it runs again it disturbs nobody. */
export async function testFrozen(t: TestContext, { session, steps }: Case): Promise<void> {
  const [first = assert.fail()] = steps;
  await t.test('a frozen worker is noticed, and another one continues', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    const request = await storeRequest(session, { seed: 63, prompts: 2_000 });
    const call = await trainer.start('sample', { request, policy: first.result.policy });
    await untilTaken(call);
    trainer.worker.signal('SIGSTOP');
    await assert.rejects(call.result, { kind: 'timeout', message: /HEARTBEAT/ });
    const next = await session.acquire();
    await replay(next, steps);
    trainer.worker.signal('SIGCONT');
    await checkpointOf(next, steps.length);
    await next.release();
    await trainer.kill();
  });
}
