import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { Failure } from '../contracts/failures.ts';
import { failureOfEngine } from './engine-failures.ts';

const HEARTBEAT_EVERY_MS = 1500;

/** An activity that is watched while it runs. */
export interface WatchedActivity {
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** called with every heartbeat; returns its detail */
  beat(): unknown;
  /** rejects where the activity is given up while it runs */
  lost: Promise<never>;
}

interface Duties {
  onStart?: () => void;
  /** watches an activity that starts, by its name */
  watch?: (activity: string) => WatchedActivity;
  /** called when the activity is cancelled, by its workflow or by the shutdown of this worker */
  onCancel?: () => void;
  /** called after an activity during which heartbeats stopped for longer than the server's timeout */
  onHeartbeatGap?: (activity: string, seconds: number) => void;
}

/**
 * What every activity does besides its work: it sends heartbeats, handles cancellation, and throws errors whose kind
 * decides whether a retry can help.
 */
export function activityDuties({
  onStart,
  watch = unwatched,
  onCancel,
  onHeartbeatGap,
}: Duties = {}): ActivityInboundCallsInterceptor {
  return {
    async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
      const context = Context.current();
      onStart?.();
      const gap = new HeartbeatGap();
      const watched = watch(context.info.activityType);
      const beat = setInterval(() => {
        gap.endsNow();
        context.heartbeat(watched.beat());
      }, HEARTBEAT_EVERY_MS);
      if (onCancel) context.cancellationSignal.addEventListener('abort', onCancel, { once: true });
      try {
        return await Promise.race([watched.run(() => next(input)), watched.lost]);
      } catch (error) {
        logRefusal(error, context);
        throw asTemporalFailure(error, context);
      } finally {
        clearInterval(beat);
        gap.endsNow();
        const { activityType, heartbeatTimeoutMs } = context.info;
        if (gap.longest > (heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY))
          onHeartbeatGap?.(activityType, gap.longest / 1000);
        if (onCancel) context.cancellationSignal.removeEventListener('abort', onCancel);
      }
    },
  };
}

const unwatched = (): WatchedActivity => ({
  run: (work) => work(),
  beat: () => undefined,
  lost: new Promise(() => undefined),
});

/** The longest time between two heartbeats: the process may have been stopped, or its machine suspended. */
class HeartbeatGap {
  /** milliseconds */
  longest = 0;
  private since = Date.now();

  endsNow(): void {
    const now = Date.now();
    this.longest = Math.max(this.longest, now - this.since);
    this.since = now;
  }
}

/** The server ignores the result of a cancelled activity; a refused write (rules 3 and 5) is logged all the same. */
function logRefusal(error: unknown, { cancellationSignal, info, log }: Context): void {
  if (!(error instanceof Failure) || error.retryable || !cancellationSignal.aborted) return;
  log.warn(`${info.activityType} was cancelled, and its write was refused: ${error.kind}: ${error.message}`);
}

/** A trainer that shuts down loses its policy: the workflow acquires another trainer. */
function asTemporalFailure(error: unknown, { cancellationSignal }: Context): unknown {
  if (cancellationSignal.aborted) {
    const { reason } = cancellationSignal;
    const shuttingDown = reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
    if (!shuttingDown) return reason instanceof CancelledFailure ? reason : new CancelledFailure('cancelled');
    return ApplicationFailure.nonRetryable('this worker is shutting down', 'TrainerLost');
  }
  const failure = error instanceof Failure ? error : failureOfEngine(error);
  if (failure === null) return error;
  return ApplicationFailure.create({
    type: failure.kind,
    message: failure.message,
    nonRetryable: !failure.retryable,
    // Waiting in the queue is not a fault: it is not logged at every attempt.
    category: failure.kind === 'NotItsTurn' ? ApplicationFailureCategory.BENIGN : undefined,
    cause: failure.cause instanceof Error ? failure.cause : undefined,
  });
}
