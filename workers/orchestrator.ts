/** The orchestrator: workflows, and the activities that fetch, store and decide. Serves the queue `r1`. */
import { Worker } from '@temporalio/worker';
import { createOrchestratorActivities } from '../activities/index.ts';
import { queues } from '../contracts/workflows.ts';
import { activityDuties } from './activity-duties.ts';
import { closeSurroundings, openSurroundings, runUntilStopped, shutdownTimes } from './worker-process.ts';
import { workflowBundle } from './workflow-bundle.ts';

const surroundings = await openSurroundings();
const { connection, connections, stores, logger } = surroundings;
const worker = await Worker.create({
  connection,
  namespace: connections.temporal.namespace,
  taskQueue: queues.orchestrator,
  workflowBundle: await workflowBundle(logger),
  activities: createOrchestratorActivities(stores),
  interceptors: { activity: [() => ({ inbound: activityDuties() })] },
  maxConcurrentActivityTaskExecutions: 16,
  maxCachedWorkflows: 50,
  ...shutdownTimes,
});
logger.info(`orchestrator: serving workflows and activities on the queue ${queues.orchestrator}`);
await runUntilStopped(worker);
await closeSurroundings(surroundings);
