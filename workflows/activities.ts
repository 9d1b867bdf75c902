import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { OrchestratorActivities, RewardActivities } from '../contracts/activities.ts';
import { type FailureKind, failures } from '../contracts/failures.ts';
import type { TrainingActivities } from '../contracts/training.ts';
import { queues } from '../contracts/workflows.ts';

const permanent = (Object.keys(failures) as FailureKind[]).filter((kind) => !failures[kind].retryable);

/**
 * What no server answers within an hour of retrying parks the stage; until then an outage is waited out.
 * A lost worker is noticed by its silence.
 */
const patient = {
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '15 seconds',
  retry: {
    initialInterval: '250 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '10 seconds',
    nonRetryableErrorTypes: permanent,
  },
} as const;

export const orchestrator = proxyActivities<OrchestratorActivities>({
  taskQueue: queues.orchestrator,
  ...patient,
});

/** Tells the rows how a stage stands, however long the database is away: nobody is kept waiting by it. */
export const unhurried = proxyActivities<Pick<OrchestratorActivities, 'setStageStatus'>>({
  taskQueue: queues.orchestrator,
  ...patient,
  scheduleToCloseTimeout: undefined,
});

export const rewards = proxyActivities<RewardActivities>({ taskQueue: queues.rewards, ...patient });

/** Waits on the shared queue until some trainer is free, for as long as that takes. */
export const freeTrainers = proxyActivities<Pick<TrainingActivities, 'acquire'>>({
  taskQueue: queues.trainer,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { ...patient.retry, maximumAttempts: 10 },
});

/**
 * How one trainer is called. A trainer that died takes its policy with it, so nothing is tried again on its
 * queue: `workflows/trainer.ts` acquires another and replays the log.
 */
export const trainerOptions = (queue: string): ActivityOptions => ({
  taskQueue: queue,
  startToCloseTimeout: '12 hours',
  scheduleToStartTimeout: '30 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});
