/**
 * The reward worker: verifiers on the queue `rewards`, and the reward models that runs have trained on the queue
 * `score`, which any other worker may serve as well.
 */
import { availableParallelism } from 'node:os';
import { Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { createRewardActivities, createScoringActivities } from '../activities/rewards/index.ts';
import { createRewardModels } from '../activities/rewards/reward-models.ts';
import { trackedEngine } from '../activities/trainer/progress.ts';
import { queues } from '../contracts/workflows.ts';
import { startEngineThread } from '../engine/service/thread.ts';
import { cancelledBy, createRewardTools } from '../rewards/tools.ts';
import { createFileCache } from '../stores/objects/file-cache.ts';
import { activityDuties } from './activity-duties.ts';
import { watchCalls } from './call-watch.ts';
import {
  closeWorkerContext,
  heartbeats,
  openWorkerContext,
  runUntilStopped,
  shutdownTimes,
} from './worker-process.ts';

/** Time for the answer that a call is lost, before the process ends. */
const LAST_ANSWER_MS = 10_000;

const workerContext = await openWorkerContext();
const { settings, connection, connections, stores, failpoints, logger } = workerContext;
const tools = cancelledBy(createRewardTools(), () => Context.current().cancellationSignal);
const models = createRewardModels({
  objects: stores.objects,
  cache: createFileCache(settings.modelCache),
  openEngine: () => trackedEngine(startEngineThread({ threads: settings.threads ?? availableParallelism() })),
});
const common = {
  connection,
  namespace: connections.temporal.namespace,
  ...heartbeats,
  ...shutdownTimes,
};
const judging = await Worker.create({
  ...common,
  taskQueue: queues.rewards,
  activities: createRewardActivities({ ...stores, failpoints, tools, models }),
  interceptors: { activity: [() => ({ inbound: activityDuties() })] },
  maxConcurrentActivityTaskExecutions: 2,
});
const watch = watchCalls({ step: () => null, onLost: endFrozen });
const scoring = await Worker.create({
  ...common,
  taskQueue: queues.score,
  activities: createScoringActivities({ ...stores, failpoints, models }),
  interceptors: { activity: [() => ({ inbound: activityDuties({ watch }) })] },
  // Models take turns at one engine; another worker serves what waits.
  maxConcurrentActivityTaskExecutions: 1,
});
logger.info(`rewards: serving the queues ${queues.rewards} and ${queues.score}`);
await runUntilStopped(judging, scoring);
await models.close();
await tools.close();
await closeWorkerContext(workerContext);

/** The engine makes no progress: the process ends once the call's answer is sent, and the supervisor starts another. */
function endFrozen(reason: string): void {
  logger.error(`rewards: ${reason}: the process ends`);
  setTimeout(() => process.exit(1), LAST_ANSWER_MS);
}
