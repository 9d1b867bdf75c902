/** A worker under test, and the orchestrator's side of the contract: leases, calls, and results that are checked. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { failures } from '../../contracts/failures.ts';
import type { Lease } from '../../contracts/identity.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type AcquireResult,
  CONTRACT_VERSION,
  callQueues,
  type TrainingCall,
  trainingCalls,
} from '../../contracts/training.ts';
import type { Stack } from '../../infra/stack.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { sha256Of } from './records.ts';
import { type Caller, CallFailed, type Running } from './temporal.ts';

/** What a worker's process is started with; it needs no other server. */
export interface WorkerConnections {
  temporal: { address: string; namespace: string };
  s3: Stack['s3'];
}

export interface WorkerProcess {
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  ended: Promise<void>;
}

/** A model that the worker can load. */
export interface Base {
  /** of an imported model: without a lease */
  manifest: Reference;
  weightsDigest: string;
  /** token ids are below it */
  vocabulary: number;
  eosTokenIds: number[];
  /** at least 64 */
  positions: number;
  /** manifest of a reward model; null where the worker does not serve `score` */
  rewardModel: Reference | null;
}

/** A kind of worker, for the suite. */
export interface WorkerKind {
  name: string;
  start(connections: WorkerConnections): WorkerProcess;
  storeBase(objects: ObjectStore): Promise<Base>;
}

export type ResultOf<Name extends TrainingCall> = z.infer<(typeof trainingCalls)[Name]['result']>;

const WAIT_MS = 90_000;
const HEARTBEAT_MS = 15_000;

export class Session {
  readonly kind: WorkerKind;
  readonly objects: ObjectStore;
  readonly base: Base;
  private readonly caller: Caller;
  private readonly connections: WorkerConnections;
  private readonly workers = new Set<WorkerProcess>();
  private free: WorkerProcess | null = null;
  private term = 0;
  /** rejects when a worker ends by itself: its calls would wait for their time limits */
  private readonly death: Promise<never>;
  private reportDeath: (error: Error) => void = () => undefined;

  constructor(parts: {
    kind: WorkerKind;
    objects: ObjectStore;
    base: Base;
    caller: Caller;
    connections: WorkerConnections;
  }) {
    this.kind = parts.kind;
    this.objects = parts.objects;
    this.base = parts.base;
    this.caller = parts.caller;
    this.connections = parts.connections;
    this.death = new Promise((_, reject) => {
      this.reportDeath = reject;
    });
    this.death.catch(() => undefined);
  }

  /** The id of the base as a policy that a stage starts from. */
  get basePolicy(): string {
    return this.policyOfWeights(this.base.weightsDigest);
  }

  policyOfWeights(digest: string): string {
    return sha256Of(`policy of weights ${digest}`);
  }

  nextLease(stage = 'zero'): Lease {
    this.term += 1;
    return { run: 'contract', stage, branch: 0, term: this.term };
  }

  /** A worker that polls `train`. */
  freeWorker(): WorkerProcess {
    if (this.free !== null) return this.free;
    const worker = this.kind.start(this.connections);
    void worker.ended.then(() => {
      if (this.workers.has(worker)) this.reportDeath(new Error('a worker has ended that nobody stopped'));
    });
    this.workers.add(worker);
    this.free = worker;
    return worker;
  }

  async start(name: TrainingCall, queue: string, input: object): Promise<Running> {
    return await this.caller.start({ name, queue, input, waitMs: WAIT_MS, heartbeatMs: HEARTBEAT_MS });
  }

  async call<Name extends TrainingCall>(name: Name, queue: string, input: object): Promise<ResultOf<Name>> {
    const { result } = await this.start(name, queue, input);
    return this.parsed(name, await Promise.race([result, this.death]));
  }

  parsed<Name extends TrainingCall>(name: Name, result: unknown): ResultOf<Name> {
    return trainingCalls[name].result.parse(result) as ResultOf<Name>;
  }

  /** Leases a worker under a new term, on the base or on a checkpoint. */
  async acquire({
    checkpoint = this.base.manifest,
    policy = this.basePolicy,
    withReference = true,
    stage = 'zero',
  }: {
    checkpoint?: Reference;
    policy?: string;
    withReference?: boolean;
    stage?: string;
  } = {}) {
    this.freeWorker();
    const lease = this.nextLease(stage);
    const input = { version: CONTRACT_VERSION, lease, checkpoint, withReference, policy };
    const acquired = await this.call('acquire', callQueues.acquire, input);
    return this.leased(lease, acquired);
  }

  /** The free worker, which has answered an `acquire`. */
  leased(lease: Lease, acquired: AcquireResult): Trainer {
    const worker = this.free ?? assert.fail('expected a free worker, found none');
    this.free = null;
    return new Trainer(this, { worker, lease, acquired });
  }

  /** After a release the worker takes the next lease; one that is not needed ends. */
  released(worker: WorkerProcess): void {
    if (this.free === null) this.free = worker;
    else void this.end(worker, 'SIGTERM');
  }

  /** Ends a worker, and waits until it has ended. */
  async end(worker: WorkerProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.workers.delete(worker);
    if (this.free === worker) this.free = null;
    worker.signal(signal);
    await worker.ended;
  }

  async close(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => this.end(worker, 'SIGTERM')));
    await this.caller.close();
    this.objects.close();
  }
}

/** A worker under a lease. */
export class Trainer {
  readonly session: Session;
  readonly worker: WorkerProcess;
  readonly lease: Lease;
  readonly acquired: AcquireResult;

  constructor(session: Session, held: { worker: WorkerProcess; lease: Lease; acquired: AcquireResult }) {
    this.session = session;
    this.worker = held.worker;
    this.lease = held.lease;
    this.acquired = held.acquired;
  }

  private inputOf(input: object): object {
    return { version: CONTRACT_VERSION, lease: this.lease, ...input };
  }

  /** `input` without version and lease, or with others than this trainer's. */
  async call<Name extends TrainingCall>(name: Name, input: object): Promise<ResultOf<Name>> {
    return await this.session.call(name, this.acquired.queue, this.inputOf(input));
  }

  async start(name: TrainingCall, input: object): Promise<Running> {
    return await this.session.start(name, this.acquired.queue, this.inputOf(input));
  }

  async release(): Promise<void> {
    await this.call('release', {});
    this.session.released(this.worker);
  }

  async kill(): Promise<void> {
    await this.session.end(this.worker, 'SIGKILL');
  }
}

/** Waits until a call has been taken by a worker, or has ended. */
export async function untilTaken(running: Running): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    const state = await running.state();
    if (state === null || state.started) return;
    await sleep(20);
  }
  assert.fail('expected a worker to take the call, found none that did');
}

/** Asserts that a call fails with one of these kinds, retried or not as the table says, and with this message. */
export async function refused(
  result: Promise<unknown>,
  kinds: readonly (keyof typeof failures)[],
  message: RegExp,
): Promise<void> {
  const error = await result.then(
    (answer) => assert.fail(`expected ${kinds.join(' or ')}, found ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof CallFailed, String(error));
  const kind = kinds.find((known) => known === error.kind);
  assert(kind, `expected ${kinds.join(' or ')}, found ${error.message}`);
  assert.equal(error.retryable, failures[kind].retryable, error.message);
  assert.match(error.message, message);
}
