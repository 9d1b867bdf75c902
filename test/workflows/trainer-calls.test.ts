/**
 * A stage's workflow on a real server, with activities that only remember their calls: what it does with a trainer's
 * answers, and what goes on while a checkpoint is written.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { policyAfter, policyOfWeights } from '../../algorithm/run/policy-id.ts';
import type { Lease } from '../../contracts/identity.ts';
import type { StageOutcome } from '../../contracts/workflows.ts';
import {
  messages,
  queues,
  type StageProgress,
  stageWorkflowId,
  workflowTypes,
} from '../../contracts/workflows.ts';
import { startStack } from '../../infra/stack.ts';
import { stageLeases } from '../../workers/stage-workflows.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { testSettings } from '../helpers/stack.ts';

const PATIENCE = { timeout: 300_000 };
const STEPS = 4;
const hash = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);
const reference = (name: string) => ({ uri: `s3://bucket/${name}`, sha256: hash(name), bytes: 1 });
const digests = { weights: hash('w0'), moments: null, reference: null };
const numerics = {
  engine: 'test',
  version: '1',
  device: 'cpu',
  instructionSet: 'none',
  threads: 1,
  deterministic: true,
};
const metrics = {
  loss: 1,
  gradNorm: 1,
  entropy: null,
  kl: null,
  clipFraction: null,
  samplerGap: null,
  tokensTrained: 1,
  accuracy: null,
};
const checkpoint = { step: 0, manifest: reference('base'), digests };
const batch = (step: number) => reference(`batch-${step}`);
const policy = (step: number): string =>
  step === 0 ? policyOfWeights(digests.weights) : policyAfter(policy(step - 1), batch(step).sha256);

type Input = { lease: Lease; expectedStep: number; step: number };
/** What a trainer answers otherwise than well, by call. */
type Answers = Record<string, (input: Input, good: object) => unknown>;

let answers: Answers = {};
/** calls in their order, such as `trainStep 3` */
let calls: string[] = [];
/** What the server says of the workflow of this test. */
let described = async () => 'not started';
/** Less than a test's time: a call that never comes is reported with what came in its place. */
const LONGEST_WAIT = 240_000;
const happened = async (call: string) => {
  const awaited = calls;
  const latest = performance.now() + LONGEST_WAIT;
  while (!awaited.includes(call)) {
    if (awaited.includes('parked') || performance.now() > latest)
      throw new Error(`expected ${call}, found ${awaited.join(', ')}; the workflow: ${await described()}`);
    await sleep(20);
  }
};

function trainerCalls() {
  const good: Record<string, (input: Input) => object> = {
    acquire: ({ lease }) => ({
      queue: `${lease.run}/own`,
      step: 0,
      policy: policy(0),
      digests,
      numerics,
      samplerNumerics: numerics,
      parameters: 1,
    }),
    trainStep: ({ expectedStep }) => ({
      step: expectedStep + 1,
      policy: policy(expectedStep + 1),
      digestBefore: null,
      digestAfter: null,
      fingerprintAfter: null,
      referenceDigest: null,
      metrics,
      numerics,
      seconds: 1,
    }),
    beginCheckpoint: ({ expectedStep: step }) => ({ step, policy: policy(step), bytes: 1, seconds: 1 }),
    finishCheckpoint: ({ step }) => ({
      manifest: reference(`manifest-${step}`),
      step,
      policy: policy(step),
      digests,
      bytes: 1,
      seconds: 1,
    }),
    release: () => ({}),
  };
  return Object.fromEntries(
    Object.entries(good).map(([name, answer]) => [
      name,
      async (input: Input) => {
        const step = name === 'trainStep' ? input.expectedStep + 1 : (input.step ?? input.expectedStep);
        calls.push(step === undefined ? name : `${name} ${step}`);
        const well = { version: 2, ...answer(input) };
        return await (answers[name]?.(input, well) ?? well);
      },
    ]),
  );
}

function orchestratorCalls(run: string) {
  const options = { max_steps: STEPS, save_steps: 2, digest_steps: 1, min_accuracy: 0 };
  const origin = { kind: 'stage', stage: 'zero' };
  const remember = (name: string, step: number) => void calls.push(`${name} ${step}`);
  return {
    loadPlan: async () => ({
      stages: [{ stage: STAGE, algorithm: 'reward-model', options, origin, evaluation: {}, alarms: [] }],
    }),
    openStage: async () => ({
      branch: 0,
      status: 'running',
      step: 0,
      checkpoint,
      policy: policy(0),
      logged: [],
      numerics: null,
      cursor: { pass: 0, position: 0 },
      rollout: null,
      changes: [],
      seams: [],
      alarms: [],
      evaluated: [],
    }),
    claimTerm: async () => ({ run, stage: STAGE, branch: 0, term: 3 }),
    awaitTurn: async () => undefined,
    leaveTrainerQueue: async () => undefined,
    makeSupervisedBatch: async ({ key, policyBefore }: { key: { step: number }; policyBefore: string }) => {
      assert.equal(policyBefore, policy(key.step - 1));
      return {
        batch: batch(key.step),
        completions: 1,
        tokens: 1,
        dropped: 0,
        reward: null,
        accuracy: null,
        meanLength: 1,
        learningRate: 1,
      };
    },
    recordStep: async ({ key }: { key: { step: number } }) => {
      remember('recordStep', key.step);
      return { secondsOther: 0, alarms: [] };
    },
    commitCheckpoint: async ({ key }: { key: { step: number } }) => {
      remember('commitCheckpoint', key.step);
      return checkpoint;
    },
    setStageStatus: async ({ status }: { status: string }) => void calls.push(status),
    prepareRanking: async () => ({ slices: 1, scoring: null }),
    rankPreferences: async () => ({ accuracy: 1, pairs: 1, needed: 0 }),
  };
}

const STAGE = 'reward-model/helpfulness';
let connection: NativeConnection;
let client: Client;
let bundle: Awaited<ReturnType<typeof workflowBundle>>;
let namespace: string;
const workers: { worker: Worker; ended: Promise<void> }[] = [];

async function serve(options: Omit<WorkerOptions, 'connection' | 'namespace'>) {
  const worker = await Worker.create({ ...options, connection, namespace });
  workers.push({ worker, ended: worker.run() });
}

before(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const { temporal } = await startStack({ settings: testSettings(), workers: false });
  namespace = temporal.namespace;
  connection = await NativeConnection.connect({ address: temporal.address });
  client = new Client({ connection: await Connection.connect({ address: temporal.address }), namespace });
  bundle = await workflowBundle(logger);
}, PATIENCE);
after(async () => {
  await client.connection.close();
  await connection.close();
});

/** Runs one stage; `until` looks at it, and then it ends. */
async function stage(own: Answers, until: (found: StageFound) => Promise<void>): Promise<void> {
  answers = own;
  calls = [];
  const run = `calls-${process.pid}-${Math.floor(performance.now())}`;
  const activities = orchestratorCalls(run);
  const { acquire, ...others } = trainerCalls();
  await serve({ taskQueue: queues.orchestrator, workflowBundle: bundle, activities });
  await serve({ taskQueue: queues.rewards, activities });
  await serve({ taskQueue: queues.trainer, activities: { acquire } });
  await serve({ taskQueue: `${run}/own`, activities: others });
  const key = { run, stage: STAGE };
  const handle = await client.workflow.start(workflowTypes.rewardModel, {
    taskQueue: queues.orchestrator,
    workflowId: stageWorkflowId(key),
    // A workflow task that is late on a loaded machine is not repeated.
    workflowTaskTimeout: '60 seconds',
    args: [{ key, historyStep: null, trainer: null }],
  });
  described = async () => {
    const { status, raw } = await handle.describe();
    const { pendingActivities, pendingWorkflowTask } = raw;
    return JSON.stringify({ status: status.name, pendingActivities, pendingWorkflowTask });
  };
  try {
    await until({
      lease: { ...key, branch: 0, term: 3 },
      outcome: async () => {
        await happened('complete');
        return (await handle.result()) as StageOutcome;
      },
      progress: () => handle.query<StageProgress>(messages.progress),
      terminate: async () => void (await handle.terminate()),
    });
  } finally {
    await handle.terminate().catch(() => undefined);
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.splice(0).map(({ ended }) => ended));
  }
}

interface StageFound {
  lease: Lease;
  outcome(): Promise<StageOutcome>;
  progress(): Promise<StageProgress>;
  terminate(): Promise<void>;
}

const at = (call: string) => {
  const index = calls.indexOf(call);
  assert.notEqual(index, -1, `expected ${call}, found ${calls.join(', ')}`);
  return index;
};

test(
  'training goes on while a checkpoint is written; the next waits for it, and the end for the last',
  PATIENCE,
  async () => {
    const finishCheckpoint = async ({ step }: Input, good: object) => {
      // The checkpoint of step 2 cannot be written before step 4 is recorded.
      if (step === 2) await happened('recordStep 4');
      return good;
    };
    await stage({ finishCheckpoint }, async ({ outcome }) => {
      assert.deepEqual(await outcome(), { stage: STAGE, step: STEPS, status: 'complete' });
      assert.ok(at('recordStep 4') < at('commitCheckpoint 2'));
      assert.ok(at('commitCheckpoint 2') < at('beginCheckpoint 4'));
      assert.ok(at('commitCheckpoint 4') < at('release'));
      assert.ok(at('release') < at('complete'));
    });
  },
);

const BROKEN: Record<string, { answers: Answers; says: RegExp; never: string }> = {
  'a missing field': {
    answers: { trainStep: (_, good) => ({ ...good, metrics: { ...metrics, loss: undefined } }) },
    says: /BrokenContract.*trainStep.*metrics\.loss/,
    never: 'recordStep 1',
  },
  'a number that JSON cannot write': {
    answers: { trainStep: (_, good) => ({ ...good, metrics: { ...metrics, gradNorm: Number.NaN } }) },
    says: /BrokenContract.*trainStep.*metrics\.gradNorm/,
    never: 'recordStep 1',
  },
  'another step': {
    answers: { trainStep: (_, good) => ({ ...good, step: 7 }) },
    says: /BrokenContract.*trainStep.*step: expected 1, found 7/,
    never: 'recordStep 1',
  },
  'another version': {
    answers: { trainStep: (_, good) => ({ ...good, version: 3 }) },
    says: /UnknownVersion.*trainStep.*found version 3/,
    never: 'recordStep 1',
  },
  'no version': {
    answers: { acquire: (_, good) => ({ ...good, version: undefined }) },
    says: /BrokenContract.*acquire.*version/,
    never: 'trainStep 1',
  },
  'a digest of something else': {
    answers: { acquire: (_, good) => ({ ...good, digests: { ...digests, weights: hash('other') } }) },
    says: /BrokenContract.*acquire.*digests\.weights/,
    never: 'trainStep 1',
  },
  'a shared queue': {
    answers: { acquire: (_, good) => ({ ...good, queue: queues.trainer }) },
    says: /BrokenContract.*acquire.*queue/,
    never: 'trainStep 1',
  },
  'a staged checkpoint of another step': {
    answers: { beginCheckpoint: (_, good) => ({ ...good, step: 1 }) },
    says: /BrokenContract.*beginCheckpoint.*step: expected 2, found 1/,
    never: 'commitCheckpoint 2',
  },
  'a written checkpoint of another policy': {
    answers: { finishCheckpoint: (_, good) => ({ ...good, policy: policy(1) }) },
    says: /BrokenContract.*finishCheckpoint.*policy/,
    never: 'commitCheckpoint 2',
  },
  'a failure while the checkpoint is written': {
    answers: {
      finishCheckpoint: () => {
        throw ApplicationFailure.nonRetryable('other bytes under its key', 'Contradiction');
      },
    },
    says: /Contradiction: other bytes under its key/,
    never: 'commitCheckpoint 2',
  },
};

for (const [what, { answers: own, says, never }] of Object.entries(BROKEN)) {
  test(
    `a trainer that answers with ${what} parks the stage, and nothing is done with it`,
    PATIENCE,
    async () => {
      await stage(own, async ({ progress }) => {
        await happened('parked');
        const { phase, detail } = await progress();
        assert.equal(phase, 'parked');
        assert.match(detail, says);
        assert.ok(!calls.includes(never), calls.join(', '));
      });
    },
  );
}

test('a stage’s workflow answers trainers whether they are superseded', PATIENCE, async () => {
  const trainStep = async (_: Input, good: object) => {
    await happened('asked');
    return good;
  };
  await stage({ trainStep }, async ({ lease, terminate }) => {
    await happened('trainStep 1');
    const { isSuperseded } = stageLeases(client.connection, namespace);
    assert.equal(await isSuperseded(lease), false);
    assert.equal(await isSuperseded({ ...lease, term: 2 }), true);
    assert.equal(await isSuperseded({ ...lease, term: 4 }), false);
    assert.equal(await isSuperseded({ ...lease, branch: 1, term: 1 }), false);
    await terminate();
    assert.equal(await isSuperseded(lease), true);
    assert.equal(await isSuperseded({ ...lease, run: `${lease.run}-unknown` }), true);
    calls.push('asked');
  });
});
