import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { folderOf, objectKey } from '../../../contracts/object-keys.ts';
import { callQueues } from '../../../contracts/training.ts';
import type { Case } from '../case.ts';
import { checkpointOf } from '../checkpoints.ts';
import {
  GROUP,
  policyAfter,
  putBatch,
  requestOf,
  sampledShard,
  supervisedBatchOf,
  trainOn,
} from '../logged.ts';
import { check, encode, ints } from '../records.ts';

/** Every call once, and what is in each result and each record. */
export async function testRecords(t: TestContext, { session, steps, shards }: Case): Promise<void> {
  const { base, objects } = session;

  await t.test('a base is step 0, and its policy is named by its weights', async () => {
    const plain = await session.acquire({ withReference: false });
    const weights = base.weightsDigest;
    assert.deepEqual(plain.acquired.digests, { weights, moments: null, reference: null });
    await plain.release();
    const trainer = await session.acquire();
    const { step, policy, digests, queue } = trainer.acquired;
    assert.deepEqual({ step, policy }, { step: 0, policy: session.basePolicy });
    assert.deepEqual(digests, { weights, moments: null, reference: weights });
    assert(queue !== callQueues.acquire && queue !== plain.acquired.queue, queue);
    await trainer.release();
  });

  await t.test('a rollout has the completions of its request, in order', async () => {
    const trainer = await session.acquire();
    const policy = session.basePolicy;
    const shard = await sampledShard(trainer, policy, { seed: 11, prompts: 4 });
    const { rollout, rolloutAt, request } = shard;
    const { record } = rollout;
    assert.deepEqual([record.request, record.policy], [request, policy]);
    assert(record.policyDigest === null || record.policyDigest === base.weightsDigest);
    assert.deepEqual(record.numerics, trainer.acquired.samplerNumerics);
    const key = objectKey('rollout', {
      ...trainer.lease,
      folder: folderOf(request),
      digest: rolloutAt.sha256,
    });
    assert(rolloutAt.uri.endsWith(`/${key}`), rolloutAt.uri);
    const lengths = rollout.column('completionLengths');
    assert.equal(lengths.length, 4 * GROUP);
    const { sampling } = requestOf(session, { seed: 11, prompts: 4 }).record;
    const truncated = rollout.column('truncated');
    rollout.sequences('completionTokens', lengths).forEach((tokens, n) => {
      assert(tokens.length > 0 && tokens.length <= sampling.max_completion_length, `sequence ${n}`);
      assert(
        tokens.every((token) => token >= 0 && token < base.vocabulary),
        `sequence ${n}`,
      );
      const ends = tokens.map((token) => base.eosTokenIds.includes(token));
      assert.equal(ends.indexOf(true), truncated[n] ? -1 : tokens.length - 1, `sequence ${n}`);
      if (truncated[n]) assert.equal(tokens.length, sampling.max_completion_length);
    });
    assert(rollout.column('logprobs').every((logprob) => logprob <= 0));
    await trainer.release();
  });

  await t.test(
    'the same distribution has the same log-probabilities by sampler, policy and reference',
    async () => {
      const trainer = await session.acquire();
      const { rollout, old, reference } = await sampledShard(trainer, session.basePolicy, { seed: 12 });
      if (trainer.acquired.numerics.deterministic) assert.deepEqual(reference, old);
      rollout.column('logprobs').forEach((logprob, token) => {
        assert(Math.abs(logprob - (old[token] ?? Number.NaN)) < 0.05, `token ${token}`);
      });
      await trainer.release();
    },
  );

  await t.test('log-probabilities are only those requested, at the temperature that is given', async () => {
    const trainer = await session.acquire();
    const policy = session.basePolicy;
    const { rolloutAt, rollout, old } = await sampledShard(trainer, policy, { seed: 12 });
    const scored = await trainer.call('logprobs', {
      rollout: rolloutAt,
      temperature: 2,
      of: ['old'],
      policy,
    });
    const lengths = rollout.column('completionLengths');
    const found = check('logprobs', await objects.get(scored.logprobs), lengths);
    assert.equal(found.tensors.has('reference'), false);
    assert.deepEqual(
      [found.record.rollout, found.record.temperature, found.record.policy],
      [rolloutAt, 2, policy],
    );
    assert.notDeepEqual(found.column('old'), old);
    await trainer.release();
  });

  await t.test('a step names its policy by the batch, and reports what it trained', async () => {
    let digest: string | null = base.weightsDigest;
    let weights = '';
    for (const [index, { batch, result, policyBefore }] of steps.entries()) {
      assert.equal(result.step, index + 1);
      assert.equal(result.policy, policyAfter(policyBefore, batch));
      assert.equal(result.digestBefore, digest);
      assert.notEqual(
        result.digestAfter ?? result.fingerprintAfter,
        null,
        `step ${index + 1} was asked for one`,
      );
      assert.notEqual(result.digestAfter ?? result.fingerprintAfter, weights);
      weights = result.digestAfter ?? result.fingerprintAfter ?? '';
      digest = result.digestAfter;
      const { metrics } = result;
      const [shard = assert.fail()] = index < 2 ? shards : shards.slice(1);
      assert.equal(metrics.tokensTrained, shard.old.length);
      assert(metrics.gradNorm > 0 && metrics.accuracy === null);
      assert(metrics.kl !== null && metrics.kl >= 0);
      // Without a change of weights the sampler's numbers are those of the training pass, up to rounding.
      if (index !== 1) assert((metrics.samplerGap ?? 1) < 0.05, `${metrics.samplerGap}`);
    }
    const [first, second, third] = steps;
    assert.equal(second?.result.referenceDigest, first?.result.referenceDigest);
    assert.notEqual(third?.result.referenceDigest, second?.result.referenceDigest);
  });

  for (const packing of [false, true]) {
    await t.test(`a supervised batch is trained, ${packing ? 'packed' : 'not packed'}`, async () => {
      const trainer = await session.acquire({ withReference: false, stage: 'cold-start' });
      const { record, tensors, tokens } = supervisedBatchOf(session, { packing });
      const bytes = encode(record, tensors);
      check('supervised-batch', bytes);
      const batch = await putBatch(trainer, bytes, 1);
      const result = await trainOn(trainer, batch, 0);
      assert.equal(result.policy, policyAfter(session.basePolicy, batch));
      assert.equal(result.metrics.tokensTrained, tokens);
      assert.equal(result.referenceDigest, null);
      assert(result.metrics.loss > 0 && result.digestAfter !== null);
      const { digests } = await checkpointOf(trainer, 1);
      assert.deepEqual([digests.weights, digests.reference], [result.digestAfter, null]);
      assert.notEqual(digests.moments, null);
      await trainer.release();
    });
  }

  await t.test('a checkpoint before the first step has the weights that were loaded', async () => {
    const trainer = await session.acquire({ withReference: false });
    const done = await checkpointOf(trainer, 0);
    assert.deepEqual([done.digests.weights, done.digests.reference], [base.weightsDigest, null]);
    await trainer.release();
  });

  const model = base.rewardModel;
  await t.test('a reward model scores sequences', { skip: model === null && 'not served' }, async () => {
    assert(model);
    const tooLong = base.positions + 1;
    const lengths = [3, 5, tooLong, 1];
    const token = Array.from({ length: base.vocabulary }, (_, id) => id).find(
      (id) => !base.eosTokenIds.includes(id),
    );
    const tokens = lengths.flatMap((length, n) => new Array<number>(length).fill((token ?? 0) + 2 * n));
    const record = { kind: 'sequences', version: 2 };
    const bytes = encode(
      record,
      new Map([
        ['tokens', ints(tokens)],
        ['lengths', ints(lengths)],
      ]),
    );
    check('sequences', bytes);
    const sequences = await objects.put(
      (digest) => `contract/sequences-${digest.slice(0, 16)}.safetensors`,
      bytes,
    );
    const input = { version: 2, model, sequences };
    session.freeWorker();
    const { scores } = await session.call('score', callQueues.score, input);
    const key = objectKey('modelScores', { folder: folderOf(sequences), digest: scores.sha256 });
    assert(scores.uri.endsWith(`/${key}`), scores.uri);
    const found = check('model-scores', await objects.get(scores));
    assert.deepEqual([found.record.model, found.record.sequences], [model, sequences]);
    assert.deepEqual(found.column('tooLong'), [0, 0, 1, 0]);
    assert.equal(found.column('scores')[2], 0);
    assert.equal(new Set(found.column('scores')).size, 4);
    assert.deepEqual((await session.call('score', callQueues.score, input)).scores, scores);
  });
}
