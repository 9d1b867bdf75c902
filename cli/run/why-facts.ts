/** The facts about a run. Each server is queried separately, so that one that is unavailable does not hide the others. */
import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import type { ShowDocument } from '../../contracts/documents.ts';
import { queues, runWorkflowId, type StageProgress, stageWorkflowId } from '../../contracts/workflows.ts';
import { type FullDisk, fullDisks } from '../../infra/machine/disks.ts';
import { identityOf, isAlive } from '../../infra/supervisor/process-identity.ts';
import type { ProcessRecord } from '../../infra/supervisor/state.ts';
import { listRuns } from '../../stores/runs/runs.ts';
import { messageOf } from '../errors.ts';
import type { Connections } from '../stack/connections.ts';
import { currentStage, readShow } from './run-rows.ts';
import { queryProgress } from './workflow-client.ts';

/** The answer of a server, or why there was none. */
type Answer<Value> = { value: Value } | { error: string };

/** A pending activity of a workflow. */
export interface PendingCall {
  activity: string;
  /** whether a worker has started it */
  started: boolean;
  attempt: number;
  /** failure of the last attempt */
  lastFailure: string | null;
  /** ISO 8601 */
  scheduledAt: string | null;
}

export interface WorkflowFacts {
  /** whether the workflow of the run, and of its stage, is running */
  run: boolean;
  stage: boolean;
  progress: StageProgress | null;
  pending: PendingCall[];
  /** since when a workflow task waits for an orchestrator, ISO 8601 */
  silentSince: string | null;
  /** which task queues have a worker */
  served: Record<keyof typeof queues, boolean>;
}

type LocalProcess = Pick<ProcessRecord, 'name' | 'role' | 'restarts'> & {
  state: ProcessRecord['state'] | 'gone';
};

export interface WhyFacts {
  now: number;
  /** as named by the user; else the latest, if the database answers */
  run: string | null;
  /** processes of the local stack; none where the workers run elsewhere */
  processes: LocalProcess[];
  /** of the local stack */
  fullDisks: FullDisk[];
  rows: Answer<{ show: ShowDocument; others: string[] }>;
  objects: Answer<null>;
  temporal: Answer<WorkflowFacts>;
}

/** Queries all servers. Throws only where the database has no such run. */
export async function gatherFacts(connections: Connections, name: string | undefined): Promise<WhyFacts> {
  const rows = await answer(() => readRows(connections, name));
  const show = 'value' in rows ? rows.value.show : null;
  const run = show?.run ?? name ?? null;
  const [objects, temporal] = await Promise.all([
    answer(() => askObjects(connections)),
    answer(() => askTemporal(connections, run, show && (currentStage(show)?.stage ?? null))),
  ]);
  const processes = connections.stack.processes.map(localProcess);
  const disks = fullDisks(connections.stack);
  return { now: Date.now(), run, processes, fullDisks: disks, rows, objects, temporal };
}

/** Checks the process itself: the supervisor that would record its end may have ended too. */
function localProcess({ name, role, restarts, state, identity }: ProcessRecord): LocalProcess {
  const gone = identity !== null && !isAlive(identity);
  return { name, role, restarts, state: gone ? 'gone' : state };
}

/** Failures of servers become answers; an invalid request is thrown. */
async function answer<Value>(ask: () => Promise<Value>): Promise<Answer<Value>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof Error && error.name === 'InvalidInput') throw error;
    return { error: messageOf(error) };
  }
}

async function readRows(connections: Connections, name: string | undefined) {
  const database = await connections.database();
  const show = await readShow(database, name);
  const runs = await listRuns(database);
  const others = runs.filter(({ run, status }) => run !== show.run && status === 'running');
  return { show, others: others.map(({ run }) => run) };
}

async function askObjects(connections: Connections): Promise<null> {
  const objects = await connections.objects();
  await objects.list('no-such-prefix/');
  return null;
}

/** Temporal may be slow; its workers are not waited for. */
const ANSWER_MILLISECONDS = 5_000;

async function askTemporal(
  connections: Connections,
  run: string | null,
  stage: string | null,
): Promise<WorkflowFacts> {
  const client = await connections.temporal();
  const deadline = Date.now() + ANSWER_MILLISECONDS;
  const key = run === null || stage === null ? null : { run, stage };
  const [ofRun, ofStage, orchestrator, trainer, rewards, score] = await client.connection.withDeadline(
    deadline,
    () =>
      Promise.all([
        run === null ? null : executionOf(client, runWorkflowId(run)),
        key === null ? null : executionOf(client, stageWorkflowId(key)),
        isServed(client, 'orchestrator'),
        isServed(client, 'trainer'),
        isServed(client, 'rewards'),
        isServed(client, 'score'),
      ]),
  );
  const answers = key !== null && ofStage !== null && orchestrator;
  return {
    run: ofRun !== null,
    stage: ofStage !== null,
    progress: answers ? await queryProgress(client, key) : null,
    pending: [...(ofRun?.pending ?? []), ...(ofStage?.pending ?? [])],
    silentSince: ofStage?.silentSince ?? ofRun?.silentSince ?? null,
    served: { orchestrator, trainer, rewards, score },
  };
}

/** What Temporal says about a workflow; null where it is not running. */
async function executionOf(
  client: Client,
  workflowId: string,
): Promise<Pick<WorkflowFacts, 'pending' | 'silentSince'> | null> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return null;
    const pending = (raw.pendingActivities ?? []).map((call) => ({
      activity: call.activityType?.name ?? '',
      started: call.state === STARTED,
      attempt: call.attempt ?? 1,
      lastFailure: call.lastFailure?.message ?? null,
      scheduledAt: isoOf(call.scheduledTime?.seconds),
    }));
    const task = raw.pendingWorkflowTask;
    const silent = task?.startedTime == null ? task?.scheduledTime?.seconds : null;
    return { pending, silentSince: isoOf(silent) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** temporal.api.enums.v1.PendingActivityState */
const STARTED = 2;
/** temporal.api.enums.v1.TaskQueueType */
const ACTIVITY_QUEUE = 2;

const isoOf = (seconds: unknown) =>
  seconds === undefined || seconds === null ? null : new Date(Number(seconds) * 1000).toISOString();

/** Workers poll at least once a minute. */
const POLL_MILLISECONDS = 70_000;

async function isServed(client: Client, queue: keyof typeof queues): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queues[queue] },
    taskQueueType: ACTIVITY_QUEUE,
  });
  return (pollers ?? []).some(({ identity, lastAccessTime }) => {
    const silent = Date.now() - 1000 * Number(lastAccessTime?.seconds ?? 0);
    return silent < POLL_MILLISECONDS && !isDeadHere(identity ?? '');
  });
}

/** Workers identify themselves as `PID@HOST`: a worker of this machine whose process has ended polls no more. */
function isDeadHere(identity: string): boolean {
  const [, pid, host] = /^(\d+)@(.+)$/.exec(identity) ?? [];
  return pid !== undefined && host === hostname() && identityOf(Number(pid)) === undefined;
}
