/**
 * A trainer without an engine: serves the training contract on the real task queues with made-up answers
 * (`stub-policy.ts`). Its arguments: the mean and the largest number of tokens of a completion.
 */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { Failure } from '../../../contracts/failures.ts';
import { CONTRACT_VERSION, type Heartbeat } from '../../../contracts/training.ts';
import { queues } from '../../../contracts/workflows.ts';
import {
  heartbeats,
  onStopSignal,
  openProcessContext,
  shutdownTimes,
} from '../../../workers/worker-process.ts';
import { createStub } from './stub-policy.ts';

const HEARTBEAT_MS = 1500;

const { connection, connections, objects, logger } = await openProcessContext();
const [mean = 0, most = 0] = (process.env.BENCH_LENGTHS ?? '').split(',').map(Number);
const incarnation = `train/stub-${randomUUID().slice(0, 8)}`;
/** null: it serves the queue of free trainers */
let ownQueue: string | null = null;
let serving: Worker | null = null;
let stopping = false;
let progress: Heartbeat = beatOf({ phase: 'loading', step: null, done: 0, of: null });

const { acquire, ...ownCalls } = createStub({
  objects,
  lengths: { mean, most },
  queueFor: ({ term }) => `${incarnation}/t${term}`,
  onLease(queue) {
    ownQueue = queue;
    serving?.shutdown();
  },
  onProgress(moment) {
    progress = beatOf(moment);
  },
});

onStopSignal(() => {
  stopping = true;
  serving?.shutdown();
});
while (!stopping) {
  serving = await Worker.create({
    connection,
    namespace: connections.temporal.namespace,
    taskQueue: ownQueue ?? queues.trainer,
    activities: ownQueue === null ? served({ acquire }) : served(ownCalls),
    maxConcurrentActivityTaskExecutions: ownQueue === null ? 1 : 4,
    ...heartbeats,
    ...shutdownTimes,
  });
  logger.info(`stub trainer: serving the queue ${ownQueue ?? queues.trainer}`);
  if (!stopping) await serving.run();
}
objects.close();
await connection.close();

function beatOf(moment: Pick<Heartbeat, 'phase' | 'step' | 'done' | 'of'>): Heartbeat {
  return { version: CONTRACT_VERSION, tokens: 0, ...moment };
}

type Call = (input: never) => Promise<unknown>;

/** The calls with heartbeats, and with failures as Temporal carries them. */
function served(calls: Readonly<Record<string, Call>>): Record<string, Call> {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      async (input: never) => {
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(progress), HEARTBEAT_MS);
        try {
          return await call(input);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          const { kind: type, message, retryable } = error;
          throw ApplicationFailure.create({ type, message, nonRetryable: !retryable });
        } finally {
          clearInterval(beat);
        }
      },
    ]),
  );
}
