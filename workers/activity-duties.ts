import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { Failure } from '../contracts/failures.ts';
import { failureOfEngine } from './engine-failures.ts';

const HEARTBEAT_EVERY_MS = 1500;

interface Duties {
  onStart?: () => void;
  /** what the heartbeat says of the work under way */
  progress?: () => unknown;
  /** told when the activity is cancelled, by the workflow or by this worker's shutting down */
  onCancel?: () => void;
  /** told after an activity during which this process was silent for longer than the server waits */
  onSilence?: (activity: string, seconds: number) => void;
}

/**
 * What every activity owes the server, whatever it does: a heartbeat while it works, an ear for cancellation,
 * and errors whose kind says whether trying again can help.
 */
export function activityDuties({
  onStart,
  progress,
  onCancel,
  onSilence,
}: Duties = {}): ActivityInboundCallsInterceptor {
  return {
    async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
      const context = Context.current();
      onStart?.();
      const silence = new Silence();
      const beat = setInterval(() => {
        silence.endsNow();
        context.heartbeat(progress?.());
      }, HEARTBEAT_EVERY_MS);
      if (onCancel) context.cancellationSignal.addEventListener('abort', onCancel, { once: true });
      try {
        return await next(input);
      } catch (error) {
        logRefusal(error, context);
        throw asTemporalFailure(error, context);
      } finally {
        clearInterval(beat);
        silence.endsNow();
        const { activityType, heartbeatTimeoutMs } = context.info;
        if (silence.longest > (heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY))
          onSilence?.(activityType, silence.longest / 1000);
        if (onCancel) context.cancellationSignal.removeEventListener('abort', onCancel);
      }
    },
  };
}

/** How long a process said nothing, at most: it was stopped, or its machine slept. */
class Silence {
  /** milliseconds */
  longest = 0;
  private since = Date.now();

  endsNow(): void {
    const now = Date.now();
    this.longest = Math.max(this.longest, now - this.since);
    this.since = now;
  }
}

/** The server no longer hears how a cancelled activity ended; a refusal (rules 3 and 5) is told to people all the same. */
function logRefusal(error: unknown, { cancellationSignal, info, log }: Context): void {
  if (!(error instanceof Failure) || error.retryable || !cancellationSignal.aborted) return;
  log.warn(`${info.activityType}, which the server gave up, was refused: ${error.kind}: ${error.message}`);
}

/** A worker that is going away loses its trainer's policy; the workflow acquires another. */
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
    // Waiting one's turn is no fault: it is not logged at every attempt.
    category: failure.kind === 'NotItsTurn' ? ApplicationFailureCategory.BENIGN : undefined,
    cause: failure.cause instanceof Error ? failure.cause : undefined,
  });
}
