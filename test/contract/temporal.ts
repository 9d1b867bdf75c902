/** The orchestrator's part of the contract: it calls a worker by its queues, and reads its heartbeats. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';

export interface Call {
  name: string;
  queue: string;
  input: unknown;
  /** how long it may wait for a worker to take it */
  waitMs: number;
  heartbeatMs: number;
}

/** A call under way. */
export interface Running {
  /** the result, or the error by `failureOf` */
  result: Promise<unknown>;
  /** state of the activity at the server; null once the call has ended */
  state(): Promise<{ started: boolean; heartbeat: unknown } | null>;
  /** ends the call at the server; its result is lost */
  abandon(): Promise<void>;
}

export interface Caller {
  namespace: string;
  start(call: Call): Promise<Running>;
  close(): Promise<void>;
}

/** A failure as the orchestrator sees it: its kind, or `timeout`. */
export class CallFailed extends Error {
  readonly kind: string;
  readonly retryable: boolean;

  constructor(kind: string, message: string, retryable: boolean) {
    super(`${kind}: ${message}`);
    this.kind = kind;
    this.retryable = retryable;
  }
}

const QUEUE = 'contract';
const quiet = () => undefined;

/** Opens a namespace of its own, so that no other worker serves the queue `train`. */
export async function openCaller(address: string, namespace: string): Promise<Caller> {
  const connection = await Connection.connect({ address });
  await createNamespace(connection, namespace);
  const client = new Client({ connection, namespace });
  const native = await NativeConnection.connect({ address });
  const logger = { trace: quiet, debug: quiet, info: quiet, log: quiet, warn: quiet, error: console.error };
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    logger,
  });
  const worker = await Worker.create({ connection: native, namespace, taskQueue: QUEUE, workflowBundle });
  const running = worker.run();
  let calls = 0;
  return {
    namespace,
    async start(call) {
      const workflowId = `call-${++calls}-${call.name}`;
      const handle = await client.workflow.start('oneCall', { args: [call], taskQueue: QUEUE, workflowId });
      return runningCall(handle);
    },
    async close() {
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
    },
  };
}

export async function createNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(24 * 3600 * 1000),
  });
  // A namespace is known to all parts of the server only after its cache is refreshed.
  for (let tries = 0; ; tries++) {
    try {
      await connection.workflowService.listOpenWorkflowExecutions({ namespace, maximumPageSize: 1 });
      return;
    } catch (error) {
      if (tries > 150) throw error;
      await sleep(200);
    }
  }
}

function runningCall(handle: WorkflowHandle): Running {
  const result = handle.result().catch((error: unknown) => {
    throw failureOf(error);
  });
  result.catch(quiet);
  return {
    result,
    async state() {
      const { status, raw } = await handle.describe();
      if (status.name !== 'RUNNING') return null;
      const [activity] = raw.pendingActivities ?? [];
      if (activity == null) return { started: false, heartbeat: undefined };
      const data = activity.heartbeatDetails?.payloads?.[0]?.data;
      const heartbeat = data == null ? undefined : JSON.parse(Buffer.from(data).toString('utf8'));
      return { started: activity.lastStartedTime != null, heartbeat };
    },
    async abandon() {
      await handle.terminate().catch(quiet);
      await result.catch(quiet);
    },
  };
}

function failureOf(error: unknown): unknown {
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  if (inner instanceof TimeoutFailure) return new CallFailed('timeout', `${inner.timeoutType}`, false);
  if (!(inner instanceof ApplicationFailure)) return error;
  return new CallFailed(inner.type ?? 'unknown', inner.message, inner.nonRetryable !== true);
}
