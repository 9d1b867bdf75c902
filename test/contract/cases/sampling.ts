import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Case } from '../case.ts';
import { storeRequest } from '../logged.ts';
import { check } from '../records.ts';
import type { Trainer } from '../session.ts';

/** A shard is the unit: its bits depend on nothing but the request and the policy. */
export async function testSampling(t: TestContext, { session }: Case): Promise<void> {
  const policy = session.basePolicy;
  const shards = await Promise.all([
    storeRequest(session, { seed: 21, prompts: 3 }),
    storeRequest(session, { seed: 22, prompts: 7 }),
    storeRequest(session, { seed: 23, prompts: 1, sampling: { temperature: 0.7, top_p: 0.9, top_k: 12 } }),
  ]);
  const sampled = async (trainer: Trainer, order: readonly number[]) =>
    new Map(
      await Promise.all(
        order.map(async (shard) => {
          const request = shards[shard];
          const { rollout } = await trainer.call('sample', { request, policy });
          return [shard, rollout.sha256] as const;
        }),
      ),
    );

  await t.test('a shard has the same bits again, in any order, and beside others', async (t) => {
    const trainer = await session.acquire();
    if (!trainer.acquired.samplerNumerics.deterministic) {
      await trainer.release();
      return t.skip('not deterministic');
    }
    const alone = new Map<number, string>();
    for (const shard of [0, 1, 2]) {
      alone.set(shard, (await sampled(trainer, [shard])).get(shard) ?? '');
    }
    for (const shard of [2, 0, 1, 1]) {
      assert.equal((await sampled(trainer, [shard])).get(shard), alone.get(shard), `shard ${shard}`);
    }
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
    ]) {
      const beside = await sampled(trainer, order);
      for (const [shard, digest] of alone) assert.equal(beside.get(shard), digest, `shard ${shard}`);
    }
    await trainer.release();
    const another = await session.acquire();
    const again = await sampled(another, [1, 2, 0]);
    for (const [shard, digest] of alone) assert.equal(again.get(shard), digest, `shard ${shard}`);
    await another.release();
  });

  await t.test('other seeds sample other completions, and greedy ones do not depend on seeds', async () => {
    const trainer = await session.acquire();
    const tokensOf = async (options: { seed: number; sampling?: object }) => {
      const request = await storeRequest(session, { prompts: 1, ...options });
      const { rollout } = await trainer.call('sample', { request, policy });
      const found = check('rollout', await session.objects.get(rollout));
      return found.sequences('completionTokens', found.column('completionLengths'));
    };
    const random = await tokensOf({ seed: 31 });
    assert(
      new Set(random.map((tokens) => tokens.join())).size > 1,
      'seeds of a group give different completions',
    );
    const greedy = await tokensOf({ seed: 31, sampling: { temperature: 0 } });
    assert.equal(new Set(greedy.map((tokens) => tokens.join())).size, 1);
    await trainer.release();
  });
}
