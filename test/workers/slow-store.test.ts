/** A trainer writes a large checkpoint to a store that takes its time: the server hears of it all the while. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { noFailpoints } from '../../activities/failpoints.ts';
import { beginCheckpoint, finishCheckpoint } from '../../activities/trainer/checkpoint.ts';
import { createMutex, type TrainerContext } from '../../activities/trainer/held-policy.ts';
import type { Lease } from '../../contracts/identity.ts';
import type { CheckpointResult } from '../../contracts/training.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import { memorySource, sha256OfSource } from '../../stores/objects/byte-source.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { activityDuties } from '../../workers/activity-duties.ts';
import { watchLease } from '../../workers/lease-watch.ts';
import { temporaryCache } from '../activities/memory-objects.ts';
import { engineHere } from '../activities/tiny-policy.ts';

const MEBIBYTE = 2 ** 20;
const ANSWER_MS = 700;
const HEARTBEAT_TIMEOUT_MS = 10_000;

/** An S3 that stores nothing and answers each request only after a while. */
let server: Server;
before(async () => {
  server = createServer((incoming, outgoing) => void answerSlowly(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => server.close());

test('heartbeats go on while a large checkpoint is hashed and written to a slow store', async () => {
  const beats: number[] = [];
  const silences: string[] = [];
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS });
  environment.on('heartbeat', () => beats.push(Date.now()));
  const duties = activityDuties({ onHeartbeatGap: (activity) => silences.push(activity) });
  const context = slowContext();
  await beginCheckpoint(context, { lease, expectedStep: 7 });
  const write = () => finishCheckpoint(context, { lease, step: 7 });
  const activity = async () => (await duties.execute?.({ args: [], headers: {} }, write)) as CheckpointResult;
  const result: CheckpointResult = await environment.run(activity);
  assert.ok(result.bytes >= 288 * MEBIBYTE);
  assert.ok(beats.length >= 3, `${beats.length} heartbeats`);
  const gaps = beats.slice(1).map((at, index) => at - (beats[index] ?? at));
  assert.ok(Math.max(...gaps) < HEARTBEAT_TIMEOUT_MS, `silent for ${Math.max(...gaps)} ms`);
  assert.deepEqual(silences, []);
});

test('hashing leaves the process its turns', async () => {
  let turns = 0;
  let hashing = true;
  const count = () => {
    turns += 1;
    if (hashing) setImmediate(count);
  };
  setImmediate(count);
  const digest = await sha256OfSource(memorySource(new Uint8Array(128 * MEBIBYTE)));
  hashing = false;
  assert.equal(digest, '254bcc3fc4f27172636df4bf32de9f107f620d559b20d760197e452b97453917');
  assert.ok(turns >= 15, `${turns} turns`);
});

test('a trainer that was silent keeps its lease unless another has taken over', async () => {
  for (const [superseded, released] of [
    [async () => false, false],
    [async () => true, true],
    [() => Promise.reject(new Error('the database is away')), false],
  ] as const) {
    const context = slowContext();
    const watch = watchLease({ context, isSuperseded: superseded, log: () => undefined });
    await watch.hadHeartbeatGap('checkpoint', 11);
    watch.stop();
    assert.equal(context.held === null, released);
  }
});

const lease: Lease = { run: 'slow', stage: 'zero', branch: 0, term: 1 };

const tensor = {
  dtype: 'F32' as const,
  shape: [24 * MEBIBYTE],
  data: new Float32Array(24 * MEBIBYTE),
};

/** A trainer that holds a policy whose checkpoint is some 300 MB. */
function slowContext(): TrainerContext {
  const { engine } = engineHere();
  const { port } = server.address() as AddressInfo;
  const part = () => new Map([['w', tensor]]);
  const digests = { weights: 'w', moments: 'm', reference: 'r' };
  const call = async (name: string) =>
    name === 'stage' ? { weights: part(), moments: part(), reference: part() } : undefined;
  const numerics = {
    engine: 'test',
    version: '1',
    device: 'cpu',
    instructionSet: 'none',
    threads: 1,
    deterministic: true,
  };
  const acquired = {
    version: 2 as const,
    queue: 'q',
    step: 7,
    policy: 'p',
    digests,
    numerics,
    samplerNumerics: numerics,
    parameters: 1,
  };
  return {
    engine: { ...engine, call: call as EngineThread['call'] },
    objects: createObjectStore({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      bucket: 'slow',
      accessKeyId: 'key',
      secretAccessKey: 'secret',
      forcePathStyle: true,
    }),
    cache: temporaryCache(),
    failpoints: noFailpoints,
    queueFor: () => 'q',
    held: {
      lease,
      queue: 'q',
      acquired,
      numerics,
      samplerNumerics: numerics,
      files: {},
      config: {},
      step: 7,
      policy: 'p',
      digest: 'w',
      referenceDigest: 'r',
      last: null,
      checkpoint: null,
    },
    onLease: () => undefined,
    exclusive: createMutex(),
  };
}

async function answerSlowly(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  incoming.resume();
  await new Promise((resolve) => incoming.once('end', resolve));
  await sleep(ANSWER_MS);
  const { searchParams } = new URL(incoming.url ?? '', 'http://slow');
  outgoing.setHeader('ETag', '"part"');
  if (incoming.method === 'HEAD') outgoing.statusCode = 404;
  if (incoming.method !== 'POST') outgoing.end();
  else if (searchParams.has('uploads'))
    outgoing.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
  else outgoing.end('<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>');
}
