/** The reward worker: verifiers. Serves the queue `rewards`. */
import { Worker } from '@temporalio/worker';
import { createRewardActivities } from '../activities/index.ts';
import { queues } from '../contracts/workflows.ts';
import { createRewardTools } from '../rewards/tools.ts';
import { activityDuties } from './activity-duties.ts';
import { closeSurroundings, openSurroundings, runUntilStopped, shutdownTimes } from './worker-process.ts';

const surroundings = await openSurroundings();
const { connection, connections, stores, logger } = surroundings;
const tools = createRewardTools();
const worker = await Worker.create({
  connection,
  namespace: connections.temporal.namespace,
  taskQueue: queues.rewards,
  activities: createRewardActivities({ ...stores, tools }),
  interceptors: { activity: [() => ({ inbound: activityDuties() })] },
  maxConcurrentActivityTaskExecutions: 2,
  ...shutdownTimes,
});
logger.info(`rewards: serving the queue ${queues.rewards}`);
await runUntilStopped(worker);
await tools.close();
await closeSurroundings(surroundings);
