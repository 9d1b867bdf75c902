import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { callQueues } from '../../../contracts/training.ts';
import type { Case } from '../case.ts';
import { GROUP, policyAfter, putBatch, putRequest, requestOf, trainOn } from '../logged.ts';
import { check, decode, encode, type Tensors } from '../records.ts';

/** Runs of the first release live: its messages have no version, and its records have lists in their JSON. */
export async function testOldMessages(t: TestContext, { session, steps }: Case): Promise<void> {
  const [first = assert.fail()] = steps;
  const policy = session.basePolicy;

  await t.test('an acquire of version 1 names neither version nor policy', async () => {
    session.freeWorker();
    const input = { lease: session.nextLease(), checkpoint: session.base.manifest, withReference: true };
    const acquired = await session.call('acquire', callQueues.acquire, input);
    assert.equal(acquired.policy, policy);
    await session.leased(input.lease, acquired).release();
  });

  await t.test('a request of version 1 gives the completions of the same request of version 2', async () => {
    const trainer = await session.acquire();
    const { record, tensors, tokensP } = requestOf(session, { seed: 41 });
    const bits = tensors.get('seeds')?.data as BigInt64Array;
    const seeds = Array.from(bits, (seed) => String(BigInt.asUintN(64, seed)));
    const { version: _, ...old } = record;
    const prompts = tokensP.map((_, slot) => ({
      slot,
      prompt: '0'.repeat(64),
      problem: '1+1',
      answer: '2',
      domain: 'math',
    }));
    const kept: Tensors = new Map(
      ['promptTokens', 'promptLengths'].map((name) => [name, tensors.get(name) ?? assert.fail(name)]),
    );
    const tokensOf = async (bytes: Uint8Array) => {
      const request = await putRequest(session, bytes);
      const { rollout } = await trainer.call('sample', { request, policy });
      return check('rollout', await session.objects.get(rollout)).column('completionTokens');
    };
    const found = await tokensOf(encode({ ...old, prompts, seeds }, kept));
    assert.equal(seeds.length, tokensP.length * GROUP);
    assert.deepEqual(found, await tokensOf(encode(record, tensors)));
    await trainer.release();
  });

  await t.test('a batch of version 1 trains to the digest of the same batch of version 2', async () => {
    const trainer = await session.acquire();
    const { record, tensors } = decode(await session.objects.get(first.batch));
    const { version: _, policy: __, policyBefore, samplerNumerics, checkAfter, ...same } = record;
    assert(policyBefore && samplerNumerics && checkAfter);
    const old = {
      ...same,
      scores: record.rollout,
      logprobs: null,
      policyDigest: session.base.weightsDigest,
      drops: [],
      digestAfter: true,
    };
    const kept: Tensors = new Map([...tensors].filter(([name]) => !name.startsWith('drop')));
    const batch = await putBatch(trainer, encode(old, kept), 1);
    const result = await trainOn(trainer, batch, 0);
    assert.equal(result.policy, policyAfter(policy, batch));
    assert.equal(result.digestBefore, first.result.digestBefore);
    if (trainer.acquired.numerics.deterministic) assert.equal(result.digestAfter, first.result.digestAfter);
    await trainer.release();
  });
}
