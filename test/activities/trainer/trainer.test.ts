/** The training calls, served by the embedded engine: a supervised stage of a tiny policy, all in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkpointObjects,
  readJsonFile,
  readManifest,
} from '../../../activities/checkpoints/checkpoint-files.ts';
import { readCheckpoint } from '../../../activities/checkpoints/read-checkpoint.ts';
import { noFailpoints } from '../../../activities/failpoints.ts';
import { floats, ints, sequenceTensors } from '../../../activities/ragged.ts';
import { createMutex, type TrainerContext } from '../../../activities/trainer/held-policy.ts';
import { createTrainingActivities } from '../../../activities/trainer/index.ts';
import { policyAfter, policyOfWeights } from '../../../algorithm/run/policy-id.ts';
import { Failure, type FailureKind } from '../../../contracts/failures.ts';
import type { Lease } from '../../../contracts/identity.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { manifestSchema } from '../../../contracts/training.ts';
import { parseMessage } from '../../../contracts/training-messages.ts';
import { putRecord } from '../../../stores/objects/records.ts';
import { memoryObjects, temporaryCache } from '../memory-objects.ts';
import { engineHere, importPublishedPolicy, importTinyPolicy } from '../tiny-policy.ts';

const lease: Lease = { run: 'calm', stage: 'cold-start-sft', branch: 0, term: 1 };

const refusal =
  (kind: FailureKind, ...parts: string[]) =>
  (error: unknown) =>
    error instanceof Failure && error.kind === kind && parts.every((part) => error.message.includes(part));

/** A trainer with a checkpoint of a tiny policy to load. */
async function trainer({ importPolicy = importTinyPolicy, mostFileBytes = 5e9 } = {}) {
  const objects = memoryObjects();
  const base = await importPolicy(objects);
  const { engine, calls } = engineHere();
  const context: TrainerContext = {
    objects,
    cache: temporaryCache(),
    engine,
    failpoints: noFailpoints,
    mostFileBytes,
    queueFor: ({ term }) => `own/t${term}`,
    held: null,
    onLease: () => undefined,
    exclusive: createMutex(),
  };
  const served = createTrainingActivities(context);
  const acquire = (checkpoint = base.manifest, more: object = {}) =>
    served.acquire({ version: 2, lease, checkpoint, withReference: false, ...more });
  return { objects, base, context, calls, served, acquire };
}

const numbers = (step: number) => ({
  learning_rate: 0.01,
  max_grad_norm: 1,
  weight_decay: 0,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  adam_step: step,
});
const tokens = [Int32Array.of(4, 5), Int32Array.of(6, 7, 8)];
const tensors = new Map([
  ...sequenceTensors([Int32Array.of(1), Int32Array.of(2, 3)], tokens),
  ['ordinals', ints(Int32Array.of(0, 1))] as const,
  ['lossWeights', floats(Float32Array.of(0.2, 0.2))] as const,
]);

/** The logged batch of a step. `first`: as the first release wrote it. */
async function batchOf(
  objects: ReturnType<typeof memoryObjects>,
  step: number,
  start: { policyBefore: string; digestBefore: string | null },
  { first = false, checkAfter = 'digest' } = {},
): Promise<Reference> {
  const { policyBefore, digestBefore } = start;
  const record = {
    kind: 'supervised-batch' as const,
    key: { run: lease.run, stage: lease.stage, branch: 0, step },
    objective: 'sft',
    data: 'd'.repeat(64),
    packing: false,
    numbers: numbers(step),
    digestBefore,
    cursorBefore: { pass: 0, position: 2 * step - 2 },
    cursorAfter: { pass: 0, position: 2 * step },
    ...(first ? { digestAfter: checkAfter === 'digest' } : { version: 2, policyBefore, checkAfter }),
  };
  return putRecord(objects, (sha256) => `batches/${sha256}`, record, tensors);
}

test('a checkpoint that a stage starts from is named by its weights, later ones by the batches', async () => {
  const { objects, base, served, acquire } = await trainer();
  const acquired = await acquire();
  const start = policyOfWeights(base.digests.weights);
  assert.equal(acquired.policy, start);
  assert.equal(acquired.numerics.computeDtype, 'float32');
  assert.deepEqual(acquired.samplerNumerics, acquired.numerics);
  const batch = await batchOf(objects, 1, { policyBefore: start, digestBefore: base.digests.weights });
  const result = await served.trainStep({ version: 2, lease, batch, expectedStep: 0, acrossSeam: false });
  assert.equal(result.policy, policyAfter(start, batch.sha256));
  assert.equal(result.digestBefore, base.digests.weights);
  assert.match(result.digestAfter ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(
    await served.trainStep({ version: 2, lease, batch, expectedStep: 0, acrossSeam: false }),
    result,
  );
});

test('a batch of the first release trains to the same bits', async () => {
  const ends = [];
  for (const first of [false, true]) {
    const { objects, base, served, acquire } = await trainer();
    const { policy } = await acquire();
    const start = { policyBefore: policy, digestBefore: base.digests.weights };
    const batch = await batchOf(objects, 1, start, { first });
    ends.push((await served.trainStep({ lease, batch, expectedStep: 0, acrossSeam: false })).digestAfter);
  }
  assert.equal(ends[0], ends[1]);
});

test('a fingerprint is answered with a digest, nothing with none', async () => {
  for (const [checkAfter, known] of [
    ['fingerprint', true],
    ['digest', true],
    ['none', false],
  ] as const) {
    const { objects, served, acquire } = await trainer();
    const { policy } = await acquire();
    const batch = await batchOf(objects, 1, { policyBefore: policy, digestBefore: null }, { checkAfter });
    const result = await served.trainStep({ version: 2, lease, batch, expectedStep: 0, acrossSeam: false });
    assert.equal(result.digestAfter !== null, known, checkAfter);
    assert.equal(result.fingerprintAfter, null);
  }
});

test('a batch of another policy is refused under any numerics, one of other weights only under equal ones', async () => {
  const { objects, served, acquire } = await trainer();
  const { policy } = await acquire();
  const train = (batch: Reference, acrossSeam: boolean) =>
    served.trainStep({ version: 2, lease, batch, expectedStep: 0, acrossSeam });
  const other = 'f'.repeat(64);
  const foreign = await batchOf(objects, 1, { policyBefore: other, digestBefore: null });
  for (const acrossSeam of [false, true])
    await assert.rejects(train(foreign, acrossSeam), refusal('Contradiction', other, policy));
  const astray = await batchOf(objects, 1, { policyBefore: policy, digestBefore: other });
  await assert.rejects(train(astray, false), refusal('Contradiction', 'weights with digest', other));
  assert.equal((await train(astray, true)).step, 1);
});

test('another policy samples nothing, and computes no log-probabilities', async () => {
  const { base, served, acquire } = await trainer();
  const { policy } = await acquire();
  const other = 'f'.repeat(64);
  const refused = refusal('Contradiction', other, policy);
  const at = base.manifest;
  await assert.rejects(served.sample({ version: 2, lease, request: at, policy: other }), refused);
  const logprobs = { version: 2, lease, rollout: at, temperature: 1, of: ['old'], policy: other } as const;
  await assert.rejects(served.logprobs({ ...logprobs, of: ['old'] }), refused);
});

test('training goes on while a staged checkpoint is written; it holds the staged step', async () => {
  const { objects, context, served, acquire } = await trainer();
  const { policy } = await acquire();
  const first = await batchOf(objects, 1, { policyBefore: policy, digestBefore: null });
  const one = await served.trainStep({ version: 2, lease, batch: first, expectedStep: 0, acrossSeam: false });
  const began = await served.beginCheckpoint({ version: 2, lease, expectedStep: 1 });
  assert.equal(began.policy, one.policy);
  assert.deepEqual(await served.beginCheckpoint({ version: 2, lease, expectedStep: 1 }), began);
  const second = await batchOf(objects, 2, { policyBefore: one.policy, digestBefore: one.digestAfter });
  const two = await served.trainStep({
    version: 2,
    lease,
    batch: second,
    expectedStep: 1,
    acrossSeam: false,
  });
  await assert.rejects(
    served.beginCheckpoint({ version: 2, lease, expectedStep: 2 }),
    refusal('Contradiction', 'that of step 1'),
  );
  const made = await served.finishCheckpoint({ version: 2, lease, step: 1 });
  assert.equal(context.held?.checkpoint?.staged, null);
  assert.deepEqual(await served.finishCheckpoint({ version: 2, lease, step: 1 }), made);
  assert.equal(made.step, 1);
  assert.equal(made.policy, one.policy);
  assert.equal(made.digests.weights, one.digestAfter);
  const manifest = manifestSchema.parse(
    JSON.parse(new TextDecoder().decode(await objects.get(made.manifest))),
  );
  assert.equal(manifest.policy, one.policy);
  await served.beginCheckpoint({ version: 2, lease, expectedStep: 2 });
  await served.release({ version: 2, lease });
  assert.equal(context.held, null);

  await assert.rejects(
    acquire(made.manifest, { policy: two.policy }),
    refusal('Contradiction', two.policy, one.policy),
  );
  const again = await acquire(made.manifest, { policy: one.policy });
  assert.equal(again.step, 1);
  const replayed = await served.trainStep({
    version: 2,
    lease,
    batch: second,
    expectedStep: 1,
    acrossSeam: false,
  });
  assert.equal(replayed.digestAfter, two.digestAfter);
  assert.equal(replayed.policy, two.policy);
});

test('release waits for a checkpoint that is being written', async () => {
  const { objects, served, acquire } = await trainer();
  await acquire();
  await served.beginCheckpoint({ version: 2, lease, expectedStep: 0 });
  const finished = served.finishCheckpoint({ version: 2, lease, step: 0 });
  await served.release({ version: 2, lease });
  const uris = [...objects.stored.keys()];
  assert.ok(uris.includes((await finished).manifest.uri));
});

test('a checkpoint whose writing failed is written again by the next request', async () => {
  const { objects, context, served, acquire } = await trainer();
  await acquire();
  await served.beginCheckpoint({ version: 2, lease, expectedStep: 0 });
  const { put } = objects;
  objects.put = () => Promise.reject(new Failure('Unavailable', 'S3 is away'));
  await assert.rejects(
    served.finishCheckpoint({ version: 2, lease, step: 0 }),
    refusal('Unavailable', 'S3 is away'),
  );
  objects.put = put;
  assert.equal((await served.finishCheckpoint({ version: 2, lease, step: 0 })).step, 0);
  assert.equal(context.held?.checkpoint?.staged, null);
});

test('an input that breaks the contract is refused by call and field, one of another version by its version', async () => {
  const { base, served, acquire } = await trainer();
  const call = (input: object) => served.sample(input as Parameters<typeof served.sample>[0]);
  const good = { version: 2, lease, request: base.manifest, policy: 'f'.repeat(64) };
  await assert.rejects(
    call({ ...good, policy: undefined }),
    refusal('BrokenContract', 'sample: its input', 'policy'),
  );
  await assert.rejects(call({ ...good, more: 1 }), refusal('BrokenContract', 'sample: its input', 'more'));
  await assert.rejects(call({ ...good, version: 3 }), refusal('UnknownVersion', 'sample', 'version 3'));
  await assert.rejects(
    acquire(base.manifest, { policy: 'f'.repeat(64) }),
    refusal('Contradiction', base.manifest.uri),
  );
});

test('a result that breaks the contract is refused by call and field', () => {
  const good = { version: 2, rollout: { uri: 's3://b/k', sha256: 'a'.repeat(64), bytes: 1 }, completions: 1 };
  const sampled = { ...good, tokens: 3, seconds: 1 };
  assert.deepEqual(parseMessage('sample', 'result', sampled), sampled);
  for (const [broken, ...parts] of [
    [{ ...sampled, seconds: null }, 'sample: its result', 'seconds'],
    [{ ...sampled, tokens: 1.5 }, 'tokens'],
    [{ ...sampled, rollout: { ...good.rollout, sha256: 'A' } }, 'rollout.sha256'],
    [{ ...sampled, version: undefined }, 'version'],
    [null, 'sample: its result'],
  ] as const)
    assert.throws(() => parseMessage('sample', 'result', broken), refusal('BrokenContract', ...parts));
  assert.throws(
    () => parseMessage('sample', 'result', { ...sampled, version: 9 }),
    refusal('UnknownVersion', 'version 9'),
  );
});

test('a base in bfloat16 and two files is trained in float32, and its checkpoint is written in several files', async () => {
  const { objects, base, served, acquire } = await trainer({
    importPolicy: importPublishedPolicy,
    mostFileBytes: 4000,
  });
  const acquired = await acquire(base.manifest, { withReference: true });
  // An untrained policy is named by its checkpoint's weights as they are stored.
  assert.equal(acquired.policy, policyOfWeights(base.digests.weights));
  assert.equal(acquired.digests.weights, base.digests.weights);
  let before = { policyBefore: acquired.policy, digestBefore: acquired.digests.weights };
  const { reference } = acquired.digests;
  for (const step of [1, 2]) {
    const batch = await batchOf(objects, step, before);
    const call = { version: 2, lease, batch, expectedStep: step - 1, acrossSeam: false } as const;
    const { policy, digestAfter } = await served.trainStep(call);
    before = { policyBefore: policy, digestBefore: digestAfter ?? assert.fail() };
  }
  await served.beginCheckpoint({ version: 2, lease, expectedStep: 2 });
  const made = await served.finishCheckpoint({ version: 2, lease, step: 2 });
  assert.equal(made.digests.weights, before.digestBefore);
  assert.equal(made.digests.reference, reference);
  const manifest = await readManifest(objects, made.manifest);
  const { weights } = await checkpointObjects(objects, manifest, made.manifest.uri);
  assert.ok(weights.length > 2);
  assert.equal(
    Object.keys(manifest.files).filter((name) => name.endsWith('.safetensors')).length,
    weights.length,
  );
  const config = await readJsonFile(objects, manifest, 'config.json');
  assert.equal((config as { torch_dtype: string }).torch_dtype, 'float32');
  const trained = await readCheckpoint({ objects, cache: temporaryCache() }, made.manifest);
  assert.equal(trained.digest, made.digests.weights);
  await served.release({ version: 2, lease });
  const again = await acquire(made.manifest, { withReference: true, policy: before.policyBefore });
  assert.deepEqual(again.digests, made.digests);
});
