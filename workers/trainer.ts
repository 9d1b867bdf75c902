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
import { messages, queues, stageWorkflowId } from '../contracts/workflows.ts';
import { startEngineThread } from '../engine/service/thread.ts';
import { homePaths } from '../infra/paths.ts';
import { isSuperseded } from '../stores/runs/terms.ts';
import { activityDuties } from './activity-duties.ts';
import { leaseNotes } from './lease-note.ts';
import { watchLease } from './lease-watch.ts';
import {
  closeWorkerContext,
  heartbeats,
  onStopSignal,
  openWorkerContext,
  shutdownTimes,
} from './worker-process.ts';

const workerContext = await openWorkerContext();
const { settings, connection, connections, stores, failpoints, logger } = workerContext;
const engine = startEngineThread({ threads: settings.threads ?? availableParallelism() });
const incarnation = `train/${hostname()}/${randomUUID().slice(0, 8)}`;
const notes = leaseNotes(homePaths(settings.home).leases, settings.workerName, (line) =>
  logger.warn(`trainer: ${line}`),
);
let stopping = false;
let serving: Worker | null = null;

const context: TrainerContext = {
  objects: stores.objects,
  engine,
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
  isSuperseded: (lease) => isSuperseded(stores.database, lease),
  log: (line) => logger.info(`trainer: ${line}`),
});
const { acquire, ...ownCalls } = createTrainingActivities(context);
const duties = activityDuties({
  onStart: watch.called,
  progress: () => engine.progress(),
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
await engine.close();
notes.remove();
await closeWorkerContext(workerContext);

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
