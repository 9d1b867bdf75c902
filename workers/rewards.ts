/** The reward worker: verifiers, and the reward models that runs have trained. Serves the queue `rewards`. */
import { availableParallelism } from 'node:os';
import { Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { createRewardActivities } from '../activities/rewards/index.ts';
import { createRewardModels } from '../activities/rewards/reward-models.ts';
import { queues } from '../contracts/workflows.ts';
import { startEngineThread } from '../engine/service/thread.ts';
import { cancelledBy, createRewardTools } from '../rewards/tools.ts';
import { activityDuties } from './activity-duties.ts';
import {
  closeWorkerContext,
  heartbeats,
  openWorkerContext,
  runUntilStopped,
  shutdownTimes,
} from './worker-process.ts';

const workerContext = await openWorkerContext();
const { settings, connection, connections, stores, failpoints, logger } = workerContext;
const tools = cancelledBy(createRewardTools(), () => Context.current().cancellationSignal);
const models = createRewardModels({
  objects: stores.objects,
  openEngine: () => startEngineThread({ threads: settings.threads ?? availableParallelism() }),
});
const worker = await Worker.create({
  connection,
  namespace: connections.temporal.namespace,
  taskQueue: queues.rewards,
  activities: createRewardActivities({ ...stores, failpoints, tools, models }),
  interceptors: { activity: [() => ({ inbound: activityDuties() })] },
  maxConcurrentActivityTaskExecutions: 2,
  ...heartbeats,
  ...shutdownTimes,
});
logger.info(`rewards: serving the queue ${queues.rewards}`);
await runUntilStopped(worker);
await models.close();
await tools.close();
await closeWorkerContext(workerContext);
