import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Case } from '../case.ts';
import { checkCheckpoint, checkpointOf } from '../checkpoints.ts';
import { replay } from '../logged.ts';
import { untilTaken } from '../session.ts';

export async function testCheckpoints(t: TestContext, { session, steps }: Case): Promise<void> {
  const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = steps;

  await t.test(
    'steps go on while a checkpoint is finished, and its manifest is of the staged step',
    async () => {
      const trainer = await session.acquire();
      await replay(trainer, [first]);
      const staged = await trainer.call('beginCheckpoint', { expectedStep: 1 });
      assert.deepEqual([staged.step, staged.policy], [1, first.result.policy]);
      const finishing = trainer.call('finishCheckpoint', { step: 1 });
      await replay(trainer, [second, third]);
      const done = await finishing;
      const manifest = await checkCheckpoint(trainer, done);
      assert.deepEqual([done.step, done.policy], [1, first.result.policy]);
      if (trainer.acquired.numerics.deterministic)
        assert.equal(manifest.digests.weights, first.result.digestAfter);
      await trainer.release();
    },
  );

  await t.test('a release waits for the checkpoint under way', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    await trainer.call('beginCheckpoint', { expectedStep: 1 });
    const finishing = await trainer.start('finishCheckpoint', { step: 1 });
    await untilTaken(finishing);
    await trainer.release();
    await checkCheckpoint(trainer, session.parsed('finishCheckpoint', await finishing.result));
  });

  await t.test('another worker continues from a checkpoint with the same bits as without it', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first, second]);
    const done = await checkpointOf(trainer, 2);
    await replay(trainer, [third]);
    const { digests: without } = await checkpointOf(trainer, 3);
    // The first worker is not released: another process takes the lease.
    const elsewhere = await session.acquire({ checkpoint: done.manifest, policy: done.policy });
    assert.notEqual(elsewhere.worker, trainer.worker);
    const { step, policy, digests } = elsewhere.acquired;
    assert.deepEqual({ step, policy, digests }, { step: 2, policy: done.policy, digests: done.digests });
    await replay(elsewhere, [third]);
    const { digests: after } = await checkpointOf(elsewhere, 3);
    if (trainer.acquired.numerics.deterministic) assert.deepEqual(after, without);
    await elsewhere.release();
    await trainer.kill();
  });

  await t.test('a checkpoint is step 0 of another stage, with a reference of its own', async () => {
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    const { manifest, digests } = await checkpointOf(trainer, 1);
    await trainer.release();
    const weights = digests.weights;
    const policy = session.policyOfWeights(weights);
    const next = await session.acquire({ checkpoint: manifest, policy, stage: 'scenario-rl' });
    assert.deepEqual([next.acquired.step, next.acquired.policy], [0, policy]);
    assert.deepEqual(next.acquired.digests, { weights, moments: null, reference: weights });
    await next.release();
  });
}
