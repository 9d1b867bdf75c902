import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTRACT_VERSION, callQueues } from '../../../contracts/training.ts';
import type { Case } from '../case.ts';
import { checkpointOf } from '../checkpoints.ts';
import { replay, sameStep, storeRequest, trainOn } from '../logged.ts';
import { refused } from '../session.ts';

/** Calls whose result was lost are sent again; and calls that are not this worker's are refused. */
export async function testRepeats(t: TestContext, { session, steps }: Case): Promise<void> {
  const [first = assert.fail(), second = assert.fail()] = steps;

  await t.test('acquire twice gives the same result', async () => {
    session.freeWorker();
    const input = {
      version: CONTRACT_VERSION,
      lease: session.nextLease(),
      checkpoint: session.base.manifest,
      withReference: true,
      policy: session.basePolicy,
    };
    const calls = await Promise.all([1, 2].map(() => session.start('acquire', callQueues.acquire, input)));
    const acquired = session.parsed('acquire', await Promise.race(calls.map(({ result }) => result)));
    // A worker that holds a policy stops polling: the second call is taken before, or not at all.
    for (const call of calls) {
      const again = await Promise.race([call.result, sleep(3_000, null)]);
      if (again === null) await call.abandon();
      else assert.deepEqual(again, acquired);
    }
    const trainer = session.leased(input.lease, acquired);
    await replay(trainer, [first]);
    await trainer.release();
  });

  await t.test('trainStep twice gives the same result and trains once', async () => {
    const trainer = await session.acquire();
    const once = await trainOn(trainer, first.batch, 0);
    assert.deepEqual(await trainOn(trainer, first.batch, 0), once);
    sameStep(trainer, once, first.result);
    await replay(trainer, [second]);
    await trainer.release();
  });

  await t.test('both halves of a checkpoint can be repeated, and one is under way at a time', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    const staged = await trainer.call('beginCheckpoint', { expectedStep: 1 });
    assert.deepEqual(await trainer.call('beginCheckpoint', { expectedStep: 1 }), staged);
    await replay(trainer, [second]);
    await refused(trainer.call('beginCheckpoint', { expectedStep: 2 }), ['Contradiction'], /checkpoint/);
    const done = await trainer.call('finishCheckpoint', { step: 1 });
    const { seconds: _, ...same } = done;
    const { seconds: __, ...again } = await trainer.call('finishCheckpoint', { step: 1 });
    assert.deepEqual(again, same);
    await checkpointOf(trainer, 2);
    await refused(trainer.call('finishCheckpoint', { step: 7 }), ['Contradiction', 'TrainerLost'], /7/);
    await trainer.release();
  });

  await t.test('a worker that was released takes the next lease', async () => {
    const trainer = await session.acquire();
    await trainer.release();
    const next = await session.acquire();
    assert.equal(next.worker, trainer.worker);
    await replay(next, [first]);
    await next.release();
  });

  await t.test('calls under another lease are refused, and change nothing', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    const policy = first.result.policy;
    const request = await storeRequest(session);
    const others = [
      { ...trainer.lease, term: trainer.lease.term + 100 },
      { ...trainer.lease, branch: 1 },
      { ...trainer.lease, stage: 'one' },
      { ...trainer.lease, run: 'another' },
    ];
    for (const lease of others) {
      const calls = [
        () => trainer.call('sample', { lease, request, policy }),
        () => trainer.call('trainStep', { lease, batch: second.batch, expectedStep: 1, acrossSeam: false }),
        () => trainer.call('beginCheckpoint', { lease, expectedStep: 1 }),
        () => trainer.call('finishCheckpoint', { lease, step: 1 }),
      ];
      for (const call of calls) await refused(call(), ['TrainerLost'], /./);
    }
    const step = trainer.call('trainStep', { batch: second.batch, expectedStep: 5, acrossSeam: false });
    await refused(step, ['TrainerLost'], /5/);
    await refused(trainer.call('beginCheckpoint', { expectedStep: 5 }), ['TrainerLost'], /5/);
    await replay(trainer, [second]);
    await trainer.release();
  });

  await t.test('another policy than the one held is refused', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    const request = await storeRequest(session);
    const policy = session.basePolicy;
    await refused(trainer.call('sample', { request, policy }), ['Contradiction'], /policy/);
    const now = first.result.policy;
    const { rollout } = await trainer.call('sample', { request, policy: now });
    const scores = trainer.call('logprobs', { rollout, temperature: 1, of: ['old'], policy });
    await refused(scores, ['Contradiction'], /policy/);
    await replay(trainer, [second]);
    await trainer.release();
  });
}
