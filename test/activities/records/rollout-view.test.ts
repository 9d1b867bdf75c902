import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexRollout } from '../../../activities/orchestrator/rollouts/index-rollout.ts';
import { joinFloats, joinInts } from '../../../activities/ragged.ts';
import { putSampleRequest, readSampleRequest } from '../../../activities/records/request.ts';
import { putLogprobs, putRollout, readRollout } from '../../../activities/records/rollout.ts';
import { openRollout } from '../../../activities/records/rollout-view.ts';
import { putScores, putTexts, readScores, readTexts } from '../../../activities/records/scores.ts';
import { joinedRanges } from '../../../activities/records/shard-reader.ts';
import { readShards } from '../../../activities/records/shards.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { SampleRequest, Shard, Verdict } from '../../../contracts/records/schemas.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { hashOf } from '../../../stores/objects/hashing.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { decodeRecord } from '../../../stores/objects/records.ts';
import { at, digest, failure, numerics } from '../../stores/helpers.ts';
import { memoryObjects } from '../memory-objects.ts';

const GENERATIONS = 2;
const policy = digest('policy');
type Objects = ReturnType<typeof memoryObjects>;

/** Everything about sequence n of a rollout is a function of n: lengths 0, 1, 2, … and tokens 100·n + t. */
const tokensOf = (n: number) => Int32Array.from({ length: n }, (_, t) => 100 * n + t);
const floatsOf = (n: number, sign: number) => Float32Array.from({ length: n }, (_, t) => sign * (n + t / 8));
const verdictOf = (n: number): Verdict =>
  n === 3 ? { error: { kind: 'timeout', message: 'no answer' } } : { score: n % 2 };

/** A shard of groups `first` … `first + size − 1`. */
async function shardOf(objects: Objects, first: number, size: number): Promise<Shard> {
  const groups = Array.from({ length: size }, (_, g) => first + g);
  const numbersN = groups.flatMap((group) => [GENERATIONS * group, GENERATIONS * group + 1]);
  const request: SampleRequest = {
    model: null,
    prompts: groups.map((slot) => ({
      slot,
      prompt: digest(`prompt-${slot}`),
      problem: `Wie viel ist ${slot}+1? 😀`,
      answer: '1',
      domain: 'math',
      ...(slot === 1 ? { prefill: '<think>' } : {}),
    })),
    numGenerations: GENERATIONS,
    seeds: numbersN.map((n) => (18446744073709551615n - BigInt(n)).toString()),
    sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 64 },
    eosTokenIds: [1],
  };
  const requestAt = await putSampleRequest(objects, keys.request(at(1)), {
    request,
    promptsP: groups.map((group) => Int32Array.of(7, group)),
  });
  const completionsN = numbersN.map(tokensOf);
  const truncatedN = Int32Array.from(numbersN, (n) => Number(n === 5));
  const header = { request: requestAt, policy, policyDigest: digest('w0'), numerics };
  const rollout = await putRollout(objects, keys.rollout(requestAt), header, {
    completionsN,
    logprobsN: numbersN.map((n) => floatsOf(n, -1)),
    truncatedN,
  });
  const scores = await putScores(objects, {
    rollout,
    texts: await putTexts(
      objects,
      rollout,
      numbersN.map((n) => `text ${n}`),
    ),
    rewards: [{ name: 'accuracy', version: 2, verdicts: numbersN.map(verdictOf) }],
    lengthsN: Int32Array.from(completionsN, ({ length }) => length),
    truncatedN,
    thinkingN: numbersN.map((n) => (n === 4 ? 'empty' : 'present')),
  });
  const computed = {
    old: numbersN.map((n) => floatsOf(n, -2)),
    reference: numbersN.map((n) => floatsOf(n, -3)),
  };
  const common = { rollout, temperature: 1, policy, referenceDigest: digest('ref'), numerics };
  const logprobs = await putLogprobs(objects, keys.logprobs(rollout), common, computed);
  return { request: requestAt, rollout, scores, logprobs };
}

async function indexOf(objects: Objects, sizes: number[], keep: (number[] | null)[] = [], groups = 99) {
  const shards: (Shard & { keep: number[] | null })[] = [];
  let first = 0;
  for (const [s, size] of sizes.entries()) {
    shards.push({ ...(await shardOf(objects, first, size)), keep: keep[s] ?? null });
    first += size;
  }
  const input = { firstStep: 1, shards, groups, policy, referenceDigest: digest('ref') };
  return { shards, ...(await indexRollout({ objects }, input)) };
}

const wanted = { old: true, reference: true };

test('a batch reads the same sequences from one shard and from several', async () => {
  const objects = memoryObjects();
  const sequences = [0, 1, 3, 6, 9];
  const read = await Promise.all(
    [[5], [2, 2, 1], [1, 4]].map(async (sizes) => {
      const { index } = await indexOf(objects, sizes);
      const view = await openRollout(objects, { index });
      return {
        lengths: [...view.lengthsN],
        rewards: view.rewards,
        health: view.health,
        read: await view.read(sequences, wanted),
      };
    }),
  );
  const [whole, ...others] = read;
  for (const other of others) assert.deepEqual(other, whole);
  assert.deepEqual(whole?.lengths, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(whole?.read.completionsT, joinInts(sequences.map(tokensOf)));
  assert.deepEqual(
    whole?.read.promptsB,
    [0, 0, 1, 3, 4].map((group) => Int32Array.of(7, group)),
  );
  assert.deepEqual(whole?.read.samplerLogprobsT, joinFloats(sequences.map((n) => floatsOf(n, -1))));
  assert.deepEqual(whole?.read.oldLogprobsT, joinFloats(sequences.map((n) => floatsOf(n, -2))));
  assert.deepEqual(whole?.read.referenceLogprobsT, joinFloats(sequences.map((n) => floatsOf(n, -3))));
  assert.deepEqual(whole?.rewards[0]?.verdicts[3], { error: { kind: 'timeout', message: 'no answer' } });
  assert.deepEqual(whole?.health, { truncatedShare: 0.1, emptyThinkingShare: 0.1, errorShare: 0.1 });
});

test('kept groups are listed in the order in which they were sampled, at most as many as are wanted', async () => {
  const objects = memoryObjects();
  const { index } = await indexOf(objects, [2, 2, 1], [[1], [0, 1], [0]], 3);
  const view = await openRollout(objects, { index });
  assert.deepEqual(
    view.groupsQ.map(({ slot }) => slot),
    [1, 2, 3],
  );
  assert.deepEqual([...view.lengthsN], [2, 3, 4, 5, 6, 7]);
  const { completionsT, promptsB } = await view.read([1, 4], { old: false, reference: false });
  assert.deepEqual(completionsT, joinInts([tokensOf(3), tokensOf(6)]));
  assert.deepEqual(promptsB, [Int32Array.of(7, 1), Int32Array.of(7, 3)]);
  const sequences: (number | null)[] = [];
  for await (const shard of readShards(objects, { rollout: index, scores: index }))
    sequences.push(...shard.scores.texts.map((_, n) => shard.sequenceOf(n)));
  assert.deepEqual(sequences, [null, null, 0, 1, 2, 3, 4, 5, null, null]);
});

test('a request comes back as it was drawn', async () => {
  const objects = memoryObjects();
  const { request: at } = await shardOf(objects, 0, 2);
  const { request } = await readSampleRequest(objects, at);
  assert.equal(request.seeds[0], '18446744073709551615');
  assert.deepEqual(
    request.prompts.map(({ problem, prefill }) => [problem, prefill]),
    [
      ['Wie viel ist 0+1? 😀', undefined],
      ['Wie viel ist 1+1? 😀', '<think>'],
    ],
  );
});

test('shards of another policy, or with records of one another mixed up, are refused', async () => {
  const objects = memoryObjects();
  const { shards } = await indexOf(objects, [2, 2]);
  const [a, b] = shards;
  assert.ok(a !== undefined && b !== undefined);
  const make = (shard: Shard, change: object = {}) =>
    indexRollout(
      { objects },
      {
        firstStep: 1,
        shards: [{ ...shard, keep: null }],
        groups: 9,
        policy,
        referenceDigest: digest('ref'),
        ...change,
      },
    );
  await assert.rejects(
    make(a, { policy: digest('other') }),
    failure('Contradiction', 'completions of the policy'),
  );
  await assert.rejects(make({ ...a, scores: b.scores }), failure('Contradiction', 'scores of the rollout'));
  await assert.rejects(make({ ...a, request: b.request }), failure('Contradiction', 'the request'));
  await assert.rejects(
    make({ ...a, logprobs: b.logprobs }),
    failure('Contradiction', 'log-probabilities of the rollout'),
  );
  await assert.rejects(make(a, { referenceDigest: null }), failure('Contradiction', 'by the reference'));
});

test('a flipped byte in what a batch reads is noticed, in any column', async () => {
  for (const [column, record] of [
    ['completionTokens', 'rollout'],
    ['logprobs', 'rollout'],
    ['old', 'logprobs'],
    ['reference', 'logprobs'],
  ] as const) {
    const objects = memoryObjects();
    const { index, shards } = await indexOf(objects, [3]);
    const reference = shards[0]?.[record];
    assert.ok(reference);
    const bytes = (await objects.get(reference)).slice();
    const sought =
      column === 'completionTokens'
        ? tokensOf(5)
        : floatsOf(5, { logprobs: -1, old: -2, reference: -3 }[column]);
    const offset = Buffer.from(bytes).indexOf(Buffer.from(sought.buffer));
    assert.ok(offset > 0);
    bytes[offset + 1] = (bytes[offset + 1] ?? 0) ^ 0x40;
    objects.stored.set(reference.uri, bytes);
    const view = await openRollout(objects, { index });
    await assert.rejects(view.read([5], wanted), failure('CorruptObject', `"${column}": sequence 5`));
    await view.read([4], wanted);
  }
});

test('neighbouring parts are read together, distant ones apart', () => {
  const parts = [
    { begin: 100_000, end: 100_100 },
    { begin: 0, end: 50 },
    { begin: 60, end: 80 },
    { begin: 60, end: 80 },
  ];
  assert.deepEqual(joinedRanges(parts), [
    { begin: 0, end: 80, members: [1, 2, 3] },
    { begin: 100_000, end: 100_100, members: [0] },
  ]);
  const long = joinedRanges([
    { begin: 0, end: 3_000_000 },
    { begin: 3_000_000, end: 6_000_000 },
  ]);
  assert.equal(long.length, 2);
  assert.equal(hashOf(new Uint8Array()).length, 32);
  // Every fourth of many short parts: the gaps would be three times what is wanted.
  const scattered = joinedRanges(
    Array.from({ length: 100 }, (_, i) => ({ begin: 800 * i, end: 800 * i + 200 })),
  );
  assert.equal(scattered.length, 100 - 8);
});

test('flipped bytes and cut objects of every kind of record are refused', async () => {
  const objects = memoryObjects();
  const { index, shards } = await indexOf(objects, [2]);
  const [shard] = shards;
  assert.ok(shard?.logprobs);
  const { texts } = await readScores(objects, shard.scores);
  assert.ok(texts.kind === 'record');
  const { logprobs } = shard;
  const readers: [Reference, () => Promise<unknown>][] = [
    [shard.request, () => readSampleRequest(objects, shard.request)],
    [shard.rollout, () => readRollout(objects, shard.rollout)],
    [shard.scores, () => readScores(objects, shard.scores)],
    [texts.reference, () => readTexts(objects, texts)],
    [logprobs, async () => decodeRecord(['logprobs'], await objects.get(logprobs), logprobs.uri)],
    [index, () => openRollout(objects, { index })],
  ];
  for (const [{ uri }, read] of readers) {
    const whole = objects.stored.get(uri) ?? new Uint8Array();
    for (const offset of [0, 9, Math.floor(whole.length / 2), whole.length - 1]) {
      const flipped = whole.slice();
      flipped[offset] = (flipped[offset] ?? 0) ^ 1;
      objects.stored.set(uri, flipped);
      await assert.rejects(read, failure('CorruptObject', uri));
    }
    for (const length of [0, 7, Math.floor(whole.length / 2), whole.length - 1]) {
      objects.stored.set(uri, whole.slice(0, length));
      await assert.rejects(read, failure('CorruptObject', uri));
    }
    objects.stored.set(uri, whole);
    await read();
  }
});

test('an object that is damaged and has a new checksum is refused by its header or its tensors', async () => {
  const objects = memoryObjects();
  const { shards } = await indexOf(objects, [2]);
  const [shard] = shards;
  assert.ok(shard !== undefined);
  const whole = await objects.get(shard.rollout);
  for (let offset = 0; offset < 8 + 400; offset += 7) {
    const flipped = whole.slice();
    flipped[offset] = (flipped[offset] ?? 0) ^ 0x04;
    try {
      const { record, tensors } = decodeRecord(['rollout'], flipped, 'x');
      // What decodes has every tensor in place: the byte is one of a value, such as a digest.
      assert.equal(record.kind, 'rollout');
      assert.equal(tensors.size, 6);
    } catch (error) {
      assert.ok(
        error instanceof Failure && ['CorruptObject', 'UnknownVersion'].includes(error.kind),
        `${offset}: ${error}`,
      );
    }
  }
});
