/**
 * The trainer: runs the engine. Serves the queue `train` while it is free, and its own queue while it holds a policy
 * under a lease.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { createMutex, type TrainerContext } from '../activities/trainer/held-policy.ts';
import { createTrainingActivities } from '../activities/trainer/index.ts';
import { trackedEngine } from '../activities/trainer/progress.ts';
import { messages, queues, stageWorkflowId } from '../contracts/workflows.ts';
import { startEngineThread } from '../engine/service/thread.ts';
import { homePaths } from '../infra/paths.ts';
import { createFileCache } from '../stores/objects/file-cache.ts';
import { activityDuties } from './activity-duties.ts';
import { watchCalls } from './call-watch.ts';
import { leaseNotes } from './lease-note.ts';
import { watchLease } from './lease-watch.ts';
import { stageLeases } from './stage-workflows.ts';
import { heartbeats, onStopSignal, openProcessContext, shutdownTimes } from './worker-process.ts';

/** Time for the answer that a call is lost, before the process ends. */
const LAST_ANSWER_MS = 10_000;

const { settings, connection, connections, objects, failpoints, logger } = await openProcessContext();
const engine = startEngineThread({ threads: settings.threads ?? availableParallelism() });
const incarnation = `train/${hostname()}/${randomUUID().slice(0, 8)}`;
const notes = leaseNotes(homePaths(settings.home).leases, settings.workerName, (line) =>
  logger.warn(`trainer: ${line}`),
);
let stopping = false;
/** whether the engine makes no progress: it cannot be ended, so the process is */
let frozen = false;
let serving: Worker | null = null;

const context: TrainerContext = {
  objects,
  cache: createFileCache(settings.modelCache),
  engine: trackedEngine(engine),
  failpoints,
  queueFor: (lease) => `${incarnation}/t${lease.term}`,
  held: null,
  onLease(held) {
    watch.called();
    if (held === null) notes.remove();
    else notes.write({ queue: held.queue, workflowId: stageWorkflowId(held.lease) });
    serving?.shutdown();
  },
  exclusive: createMutex(),
};

const watch = watchLease({
  context,
  isSuperseded: stageLeases(connection, connections.temporal.namespace).isSuperseded,
  log: (line) => logger.info(`trainer: ${line}`),
});
const { acquire, ...ownCalls } = createTrainingActivities(context);
const duties = activityDuties({
  onStart: watch.called,
  watch: watchCalls({ step: () => context.held?.step ?? null, onLost: endFrozen }),
  onCancel: () => engine.stopSampling(true),
  onHeartbeatGap: (activity, seconds) => void watch.hadHeartbeatGap(activity, seconds),
});

await reportPredecessor();
onStopSignal(() => {
  stopping = true;
  serving?.shutdown();
});
void engine.ended.then((error) => {
  if (stopping) return;
  logger.error(`trainer: the engine has ended: ${error.message}`);
  // The supervisor restarts the trainer, which starts a new engine.
  process.exitCode = 1;
  stopping = true;
  serving?.shutdown();
});
while (!stopping) await serveOneQueue();
watch.stop();
// The note of a lease that is lost stays: the successor reports it to the workflow.
if (frozen) process.exit(1);
await engine.close();
notes.remove();
await connection.close();

/** The engine makes no progress: ends the process once the call's answer is sent. The supervisor starts another. */
function endFrozen(reason: string): void {
  if (frozen) return;
  logger.error(`trainer: ${reason}: the trainer ends, another takes over`);
  frozen = true;
  stopping = true;
  setTimeout(() => process.exit(1), LAST_ANSWER_MS);
  serving?.shutdown();
}

/** Serves `train`, or the lease's own queue, until the lease changes or the process stops. */
async function serveOneQueue(): Promise<void> {
  const free = context.held === null;
  const taskQueue = context.held?.queue ?? queues.trainer;
  const worker = await Worker.create({
    connection,
    namespace: connections.temporal.namespace,
    taskQueue,
    activities: free ? { acquire } : ownCalls,
    interceptors: { activity: [() => ({ inbound: duties })] },
    maxConcurrentActivityTaskExecutions: free ? 1 : 4,
    ...heartbeats,
    ...shutdownTimes,
  });
  serving = worker;
  logger.info(`trainer: serving the queue ${taskQueue}`);
  if (!stopping) await worker.run();
}

/** Signals the workflow whose policy the predecessor held that the policy is lost. */
async function reportPredecessor(): Promise<void> {
  const note = notes.read();
  if (note === null) return;
  const client = new Client({
    connection: await Connection.connect({ address: connections.temporal.address }),
    namespace: connections.temporal.namespace,
  });
  try {
    await client.workflow.getHandle(note.workflowId).signal(messages.trainerLost, { queue: note.queue });
    logger.info(`trainer: signalled ${note.workflowId} that the trainer on ${note.queue} has died`);
  } catch (error) {
    logger.info(`trainer: could not signal ${note.workflowId} that its trainer has died: ${error}`);
  } finally {
    notes.remove();
    await client.connection.close();
  }
}
