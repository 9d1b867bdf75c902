/** The orchestrator: workflows, and the activities that fetch, store and decide. Serves the queue `r1`. */
import { type InjectedSinks, Worker } from '@temporalio/worker';
import { createOrchestratorActivities } from '../activities/orchestrator/index.ts';
import { type FailpointSinks, queues } from '../contracts/workflows.ts';
import { activityDuties } from './activity-duties.ts';
import { stageWorkflows } from './stage-workflows.ts';
import {
  closeWorkerContext,
  heartbeats,
  openWorkerContext,
  runUntilStopped,
  shutdownTimes,
} from './worker-process.ts';
import { workflowBundle } from './workflow-bundle.ts';

const workerContext = await openWorkerContext();
const { settings, connection, connections, stores, failpoints, logger } = workerContext;
const watched = settings.failpoints.length > 0;
const sinks: InjectedSinks<FailpointSinks> = {
  failpoints: { reached: { fn: (_, place) => void failpoints.reached(place, 0), callDuringReplay: false } },
};
const worker = await Worker.create({
  connection,
  namespace: connections.temporal.namespace,
  taskQueue: queues.orchestrator,
  workflowBundle: await workflowBundle(logger, { watched }),
  sinks,
  activities: createOrchestratorActivities({
    ...stores,
    failpoints,
    workflows: stageWorkflows(connection, connections.temporal.namespace),
    graceSeconds: 60 * settings.graceMinutes,
  }),
  interceptors: { activity: [() => ({ inbound: activityDuties() })] },
  maxConcurrentActivityTaskExecutions: 16,
  maxCachedWorkflows: 50,
  // The next tasks of a dead process's workflows stay on its own queue for this long.
  stickyQueueScheduleToStartTimeout: '3 seconds',
  ...heartbeats,
  ...shutdownTimes,
});
logger.info(`orchestrator: serving workflows and activities on the queue ${queues.orchestrator}`);
await runUntilStopped(worker);
await closeWorkerContext(workerContext);
