import { type ActivityOptions, patched, proxyActivities } from '@temporalio/workflow';
import type { OrchestratorActivities, RewardActivities } from '../contracts/activities.ts';
import { type FailureKind, failures } from '../contracts/failures.ts';
import type { TrainingActivities } from '../contracts/training.ts';
import { queues } from '../contracts/workflows.ts';
import { lastFailedFor } from './errors.ts';

const permanent = (Object.keys(failures) as FailureKind[]).filter((kind) => !failures[kind].retryable);

/**
 * What does not succeed within an hour of retrying parks the stage, unless it waits for a server or for room on a
 * disk (`waitingForServers`). A lost worker is noticed by its silence.
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

/** Tells the rows how a stage stands, however long the database is away: nobody is kept waiting by it. */
export const unhurried = proxyActivities<Pick<OrchestratorActivities, 'setStageStatus'>>({
  taskQueue: queues.orchestrator,
  ...patient,
  scheduleToCloseTimeout: undefined,
});

/** Whether a verdict may be had by asking again, nobody knows: that is not asked for ever (rule 10). */
export const rewards = waitingForServers(
  proxyActivities<RewardActivities>({ taskQueue: queues.rewards, ...patient }),
  (error) => lastFailedFor(error, 'OutOfSpace'),
);

/** Asks every second whether it is a stage's turn, for as long as that takes. */
export const turns = proxyActivities<Pick<OrchestratorActivities, 'awaitTurn'>>({
  taskQueue: queues.orchestrator,
  startToCloseTimeout: '1 minute',
  retry: { ...patient.retry, initialInterval: '1 second', backoffCoefficient: 1 },
});

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

/** Marks histories whose activities wait for a server longer than the hour. */
const WAITS = 'waits-for-servers';

/** Activities that are called anew, where their time ran out, for as long as `goesOn` says that waiting helps. */
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
