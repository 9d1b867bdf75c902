import { type ActivityOptions, patched, proxyActivities } from '@temporalio/workflow';
import type { OrchestratorActivities, RewardActivities } from '../contracts/activities.ts';
import { type FailureKind, failures } from '../contracts/failures.ts';
import type { TrainingActivities } from '../contracts/training.ts';
import { queues } from '../contracts/workflows.ts';
import { lastFailedFor } from './errors.ts';

const permanent = (Object.keys(failures) as FailureKind[]).filter((kind) => !failures[kind].retryable);

/**
 * An activity that fails for an hour of retries parks the stage, unless it waits for a server or for free disk space
 * (`waitingForServers`). A lost worker is noticed by missing heartbeats.
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

export const orchestrator = waitingForServers(
  proxyActivities<OrchestratorActivities>({ taskQueue: queues.orchestrator, ...patient }),
  (error) => lastFailedFor(error, 'OutOfSpace') || (lastFailedFor(error, 'Unavailable') && patched(WAITS)),
);

/** Writes a stage's status, without a time limit while the database is unavailable: nothing else waits for it. */
export const unhurried = proxyActivities<Pick<OrchestratorActivities, 'setStageStatus'>>({
  taskQueue: queues.orchestrator,
  ...patient,
  scheduleToCloseTimeout: undefined,
});

/** Retried for a limited time only: it is not known whether another attempt yields a verdict (rule 10). */
export const rewards = waitingForServers(
  proxyActivities<RewardActivities>({ taskQueue: queues.rewards, ...patient }),
  (error) => lastFailedFor(error, 'OutOfSpace'),
);

/** Checks every second whether it is the stage's turn, without a time limit. */
export const turns = proxyActivities<Pick<OrchestratorActivities, 'awaitTurn'>>({
  taskQueue: queues.orchestrator,
  startToCloseTimeout: '1 minute',
  retry: { ...patient.retry, initialInterval: '1 second', backoffCoefficient: 1 },
});

/**
 * A trainer that sends no heartbeat for this long is lost: its process, or its machine, does not run. A loaded machine
 * delays heartbeats by seconds. A trainer whose engine makes no progress ends itself, and the successor of a dead one
 * reports it at once.
 */
const TRAINER_SILENCE = '60 seconds';

/** Waits on the shared queue until a trainer is free, without a time limit. */
export const freeTrainers = proxyActivities<Pick<TrainingActivities, 'acquire'>>({
  taskQueue: queues.trainer,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: TRAINER_SILENCE,
  retry: { ...patient.retry, maximumAttempts: 10 },
});

/** Any worker that has reward models scores; a repeated call gives the same. It waits for one without a time limit. */
export const scorers = proxyActivities<Pick<TrainingActivities, 'score'>>({
  taskQueue: queues.score,
  startToCloseTimeout: '12 hours',
  heartbeatTimeout: patient.heartbeatTimeout,
  retry: { ...patient.retry, maximumAttempts: 10 },
});

/**
 * Options of calls to one trainer. A trainer that dies loses its policy, so nothing is retried on its queue: the stage
 * acquires another trainer and replays the log.
 */
export const trainerOptions = (queue: string): ActivityOptions => ({
  taskQueue: queue,
  startToCloseTimeout: '12 hours',
  scheduleToStartTimeout: '30 seconds',
  heartbeatTimeout: TRAINER_SILENCE,
  retry: { maximumAttempts: 1 },
});

/** Marks histories whose activities wait for a server for longer than an hour. */
const WAITS = 'waits-for-servers';

/** Activities that are called again after their time-out for as long as `goesOn(error)` is true. */
function waitingForServers<Stubs extends object>(stubs: Stubs, goesOn: (error: unknown) => boolean): Stubs {
  type Call = (...args: unknown[]) => Promise<unknown>;
  const waiting =
    (call: Call): Call =>
    async (...args) => {
      for (;;) {
        try {
          return await call(...args);
        } catch (error) {
          if (!goesOn(error)) throw error;
        }
      }
    };
  return new Proxy(stubs, {
    get(target, name) {
      const stub = Reflect.get(target, name) as Call & { executeWithOptions: Call };
      const executeWithOptions = waiting(stub.executeWithOptions.bind(stub));
      return Object.assign(waiting(stub), { executeWithOptions });
    },
  });
}
