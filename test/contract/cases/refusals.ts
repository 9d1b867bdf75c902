import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { failures } from '../../../contracts/failures.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../contracts/format/safetensors.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { CONTRACT_VERSION, callQueues } from '../../../contracts/training.ts';
import type { Case } from '../case.ts';
import { manifestAt } from '../checkpoints.ts';
import { batchOf, putBatch, putRequest, replay, requestOf, storeRequest, trainOn } from '../logged.ts';
import { check, encode, ints, sha256Of, type Tensors, withOtherDtype } from '../records.ts';
import { refused, type Session, type Trainer } from '../session.ts';

type Kind = keyof typeof failures;
type Change = (tensors: Tensors, record: Record<string, unknown>) => unknown;

/** A record that breaks its schema or its table; a number that cannot be used. */
const BROKEN: readonly Kind[] = ['CorruptObject', 'BrokenContract'];
const CORRUPT: readonly Kind[] = ['CorruptObject'];

/** What is wrong with a batch, and the refusal. */
const wrongBatches: [string, Change, readonly Kind[], RegExp][] = [
  ['a missing field', (_, record) => delete record.policyBefore, BROKEN, /policyBefore/],
  [
    'a missing number',
    (_, record) => delete (record.numbers as Record<string, unknown>).beta,
    BROKEN,
    /beta/,
  ],
  ['an unknown field', (_, record) => Object.assign(record, { extra: 1 }), BROKEN, /extra/],
  [
    'a newer version',
    (_, record) => Object.assign(record, { version: 3 }),
    ['UnknownVersion'],
    /version.*3/s,
  ],
  ['another kind', (_, record) => Object.assign(record, { kind: 'rollout' }), BROKEN, /rollout/],
  ['an unknown tensor', (tensors) => tensors.set('surprise', ints([1])), BROKEN, /surprise/],
  ['a missing tensor', (tensors) => tensors.delete('advantages'), BROKEN, /advantages/],
  [
    'a missing optional tensor that its record needs',
    (tensors) => tensors.delete('referenceLogprobs'),
    BROKEN,
    /referenceLogprobs/,
  ],
  ...(['advantages', 'completionTokens', 'samplerLogprobs'] as const).map(
    (name): (typeof wrongBatches)[number] => [
      `another dtype of ${name}`,
      (tensors) => changed(tensors, name, withOtherDtype),
      BROKEN,
      new RegExp(name),
    ],
  ),
  ...(['advantages', 'lossWeights', 'samplerLogprobs', 'completionTokens', 'promptTokens'] as const).map(
    (name): (typeof wrongBatches)[number] => [
      `another size of ${name}`,
      (tensors) => changed(tensors, name, shortened),
      BROKEN,
      // The axis is that of other tensors too.
      /completion|prompt|advantages|lossWeights|samplerLogprobs/,
    ],
  ),
  [
    'two axes in place of one',
    (tensors) => changed(tensors, 'advantages', (old) => ({ ...old, shape: [1, ...old.shape] }) as Tensor),
    BROKEN,
    /advantages/,
  ],
  [
    'a negative length',
    (tensors) =>
      changed(tensors, 'completionLengths', (old) => {
        const [a = 0, b = 0, ...rest] = Array.from(old.data, Number);
        return ints([a + b + 1, -1, ...rest]);
      }),
    [...BROKEN, 'InvalidInput'],
    /completionLengths/,
  ],
  ...(['advantages', 'lossWeights', 'samplerLogprobs', 'referenceLogprobs'] as const).flatMap((name) =>
    [Number.NaN, Number.POSITIVE_INFINITY].map((value): (typeof wrongBatches)[number] => [
      `${value} in ${name}`,
      (tensors) => changed(tensors, name, (old) => withValue(old, value)),
      [...BROKEN, 'InvalidInput'],
      new RegExp(name),
    ]),
  ),
  [
    'a token beyond the vocabulary',
    (tensors) => changed(tensors, 'completionTokens', (old) => withValue(old, 2 ** 30)),
    [...BROKEN, 'InvalidInput'],
    /token|1073741824/,
  ],
];

const wrongRequests: [string, Change, readonly Kind[], RegExp][] = [
  ['a missing field', (_, record) => delete record.sampling, BROKEN, /sampling/],
  [
    'a newer version',
    (_, record) => Object.assign(record, { version: 3 }),
    ['UnknownVersion'],
    /version.*3/s,
  ],
  ['an unknown tensor', (tensors) => tensors.set('surprise', ints([1])), BROKEN, /surprise/],
  ['a missing tensor', (tensors) => tensors.delete('seeds'), BROKEN, /seeds/],
  ['another dtype', (tensors) => changed(tensors, 'promptTokens', withOtherDtype), BROKEN, /promptTokens/],
  [
    'too few tokens',
    (tensors) => changed(tensors, 'promptTokens', shortened),
    BROKEN,
    /promptTokens|promptLengths/,
  ],
  ['too few seeds', (tensors) => changed(tensors, 'seeds', shortened), BROKEN, /seeds/],
  [
    'a token beyond the vocabulary',
    (tensors) => changed(tensors, 'promptTokens', (old) => withValue(old, 2 ** 30)),
    [...BROKEN, 'InvalidInput'],
    /token|1073741824/,
  ],
];

function changed(tensors: Tensors, name: string, change: (old: Tensor) => Tensor): void {
  tensors.set(name, change(tensors.get(name) ?? assert.fail(name)));
}

function shortened({ dtype, data }: Tensor): Tensor {
  return { dtype, shape: [data.length - 1], data: data.slice(0, -1) } as Tensor;
}

/** The last element has this value. */
function withValue({ dtype, shape, data }: Tensor, value: number): Tensor {
  const copy = data.slice();
  (copy as Float32Array)[copy.length - 1] = value;
  return { dtype, shape, data: copy } as Tensor;
}

/** Bytes as a fault of a disk or of a network leaves them. */
const damages: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ['one flipped bit', (bytes) => flipped(bytes, bytes.length - 3)],
  ['a flipped bit of its header', (bytes) => flipped(bytes, 20)],
  ['its end cut off', (bytes) => bytes.slice(0, -5)],
  ['nothing in it', () => new Uint8Array()],
];

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 4;
  return copy;
}

let damaged = 0;

/** An object with other bytes than its reference says. */
async function storeDamaged({ objects }: Session, bytes: Uint8Array, damage: (typeof damages)[number][1]) {
  damaged += 1;
  const { uri } = await objects.put(`contract/damaged-${damaged}`, damage(bytes));
  return { uri, sha256: sha256Of(bytes), bytes: bytes.length };
}

/** Bad input is refused by name, and nothing is trained on it. */
export async function testRefusals(t: TestContext, given: Case): Promise<void> {
  const { session, steps, shards } = given;
  const [first = assert.fail(), second = assert.fail()] = steps;
  const [shard = assert.fail()] = shards;
  const policy = session.basePolicy;

  /** The batch of step 1, which is valid, with a change. */
  const changedBatch = (trainer: Trainer, change: Change) => {
    const { record, tensors } = batchOf(trainer, {
      shard,
      step: 1,
      policy,
      policyBefore: policy,
      digestBefore: session.base.weightsDigest,
      referenceDigest: session.base.weightsDigest,
      old: 'own',
    });
    change(tensors, record);
    return encode(record, tensors);
  };
  const train = async (trainer: Trainer, batch: Reference) => await trainOn(trainer, batch, 0);

  await t.test('messages that break their schema are refused by the name of the field', async () => {
    const trainer = await session.acquire();
    const good = { batch: first.batch, expectedStep: 0, acrossSeam: false };
    const { batch: _, ...withoutBatch } = good;
    const messages: [object, readonly Kind[], RegExp][] = [
      [{ ...good, batch: undefined }, ['BrokenContract'], /batch/],
      [withoutBatch, ['BrokenContract'], /batch/],
      [{ ...good, lease: undefined }, ['BrokenContract'], /lease/],
      [{ ...good, expectedStep: '0' }, ['BrokenContract'], /expectedStep/],
      [{ ...good, expectedStep: -1 }, ['BrokenContract'], /expectedStep/],
      [{ ...good, batch: { ...first.batch, sha256: 'x' } }, ['BrokenContract'], /sha256/],
      [{ ...good, surprise: 1 }, ['BrokenContract'], /surprise/],
      [{ ...good, version: 3 }, ['UnknownVersion'], /3/],
    ];
    for (const [input, kinds, message] of messages) {
      await refused(trainer.call('trainStep', input), kinds, message);
    }
    await refused(trainer.call('sample', { policy }), ['BrokenContract'], /request/);
    await refused(trainer.call('sample', { version: 9, policy }), ['UnknownVersion'], /9/);
    await replay(trainer, [first]);
    await trainer.release();
  });

  await t.test('a wrong batch is refused by the name of what is wrong, and trains nothing', async (t) => {
    const trainer = await session.acquire();
    for (const [what, change, kinds, message] of wrongBatches) {
      await t.test(what, async () => {
        const batch = await putBatch(trainer, changedBatch(trainer, change), 1);
        await refused(train(trainer, batch), kinds, message);
      });
    }
    await replay(trainer, [first, second]);
    await trainer.release();
  });

  await t.test('a batch of another policy, other weights or another reference is refused', async () => {
    const trainer = await session.acquire();
    const other = sha256Of('another');
    const changes: [Change, RegExp][] = [
      [(_, record) => Object.assign(record, { policyBefore: other }), /polic/],
      [(_, record) => Object.assign(record, { digestBefore: other }), /weights|digest/],
      [(_, record) => Object.assign(record, { referenceDigest: other }), /reference/],
    ];
    for (const [change, message] of changes) {
      const batch = await putBatch(trainer, changedBatch(trainer, change), 1);
      await refused(train(trainer, batch), ['Contradiction'], message);
    }
    const acrossSeam = await putBatch(
      trainer,
      changedBatch(trainer, (_, record) =>
        Object.assign(record, { policyBefore: other, digestBefore: null }),
      ),
      1,
    );
    const call = trainer.call('trainStep', { batch: acrossSeam, expectedStep: 0, acrossSeam: true });
    await refused(call, ['Contradiction'], /polic/);
    await replay(trainer, [first]);
    await trainer.release();
  });

  await t.test('across a change of numerics other digests are accepted', async () => {
    const trainer = await session.acquire();
    const bytes = changedBatch(trainer, (_, record) =>
      Object.assign(record, { digestBefore: sha256Of('other numerics') }),
    );
    check('batch', bytes);
    const batch = await putBatch(trainer, bytes, 1);
    const { step } = await trainer.call('trainStep', { batch, expectedStep: 0, acrossSeam: true });
    assert.equal(step, 1);
    await trainer.release();
  });

  await t.test('a wrong request is refused by the name of what is wrong', async (t) => {
    const trainer = await session.acquire();
    for (const [what, change, kinds, message] of wrongRequests) {
      await t.test(what, async () => {
        const { record, tensors } = requestOf(session);
        change(tensors, record);
        const request = await putRequest(session, encode(record, tensors));
        await refused(trainer.call('sample', { request, policy }), kinds, message);
      });
    }
    const long = await storeRequest(session, { sampling: { max_completion_length: session.base.positions } });
    await refused(trainer.call('sample', { request: long, policy }), ['InvalidInput'], /position|length/);
    await trainer.call('sample', { request: await storeRequest(session), policy });
    await trainer.release();
  });

  await t.test('flipped bytes and cut objects are noticed: requests, rollouts and batches', async () => {
    const trainer = await session.acquire();
    const [request, rollout, batch] = await Promise.all(
      [shard.request, shard.rolloutAt, first.batch].map((reference) => session.objects.get(reference)),
    );
    assert(request && rollout && batch);
    for (const [, damage] of damages) {
      const requestAt = await storeDamaged(session, request, damage);
      await refused(trainer.call('sample', { request: requestAt, policy }), CORRUPT, /./);
      const rolloutAt = await storeDamaged(session, rollout, damage);
      const of = ['old'];
      await refused(
        trainer.call('logprobs', { rollout: rolloutAt, temperature: 1, of, policy }),
        CORRUPT,
        /./,
      );
      await refused(train(trainer, await storeDamaged(session, batch, damage)), CORRUPT, /./);
    }
    const missing = { ...first.batch, uri: `${first.batch.uri}-missing` };
    await refused(train(trainer, missing), CORRUPT, /missing/);
    await replay(trainer, [first]);
    await trainer.release();
  });

  await t.test('a damaged checkpoint is not acquired, and the worker stays free', async () => {
    const manifest = await manifestAt(session, session.base.manifest);
    const text = await session.objects.get(session.base.manifest);
    const [file = assert.fail()] = Object.keys(manifest.files).filter((name) =>
      name.endsWith('.safetensors'),
    );
    const weightsAt = manifest.files[file] ?? assert.fail();
    const weights = await session.objects.get(weightsAt);
    const storeManifest = async (change: object) => {
      const bytes = new TextEncoder().encode(JSON.stringify({ ...manifest, ...change }));
      return await session.objects.put((sha256) => `contract/manifest-${sha256}.json`, bytes);
    };
    const withWeights = async (reference: Reference) =>
      await storeManifest({ files: { ...manifest.files, [file]: reference } });
    const checkpoints: [Reference, readonly Kind[], RegExp][] = [];
    for (const [, damage] of damages) {
      checkpoints.push([await storeDamaged(session, text, damage), CORRUPT, /./]);
      checkpoints.push([await withWeights(await storeDamaged(session, weights, damage)), CORRUPT, /./]);
    }
    // Whole files with the right checksums, of other weights than the digest says.
    const { tensors, metadata } = decodeSafetensors(weights);
    const [name = ''] = tensors.keys();
    const other = (change: (old: Tensor) => Tensor) => {
      const copy = new Map(tensors);
      changed(copy, name, change);
      return session.objects.put(
        (sha256) => `contract/weights-${sha256}.safetensors`,
        encodeSafetensors(copy, metadata),
      );
    };
    const otherWeights = await other((old) => withValue(old, 1));
    checkpoints.push([await withWeights(otherWeights), CORRUPT, /digest/]);
    const { [file]: _, ...others } = manifest.files;
    checkpoints.push([await storeManifest({ files: others }), CORRUPT, /safetensors/]);
    checkpoints.push([await storeManifest({ version: 3 }), ['UnknownVersion'], /3/]);
    checkpoints.push([await storeManifest({ digests: undefined }), BROKEN, /digests/]);
    for (const [checkpoint, kinds, message] of checkpoints) {
      session.freeWorker();
      const lease = session.nextLease();
      const input = { version: CONTRACT_VERSION, lease, checkpoint, withReference: false, policy };
      await refused(session.call('acquire', callQueues.acquire, input), kinds, message);
    }
    const trainer = await session.acquire();
    await replay(trainer, [first]);
    await trainer.release();
  });

  await t.test('a checkpoint of another policy than the caller expects is refused', async () => {
    session.freeWorker();
    const input = {
      version: CONTRACT_VERSION,
      lease: session.nextLease(),
      checkpoint: session.base.manifest,
      withReference: false,
      policy: sha256Of('another policy'),
    };
    await refused(session.call('acquire', callQueues.acquire, input), ['Contradiction'], /polic/);
  });
}
