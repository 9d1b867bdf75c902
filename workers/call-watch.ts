import { CallProgress, trackCall } from '../activities/trainer/progress.ts';
import {
  callBegins,
  type LongestGaps,
  lookAt,
  PROGRESS_LIMITS,
  type ProgressLimits,
} from '../algorithm/run/progress-limit.ts';
import { Failure } from '../contracts/failures.ts';
import { CONTRACT_VERSION, type Heartbeat, heartbeatSchema } from '../contracts/training.ts';
import type { WatchedActivity } from './activity-duties.ts';

interface CallWatch {
  /** steps of the policy that is held; null where none is */
  step: () => number | null;
  /** called once for a call that is lost: the engine will not answer, so the process has to end */
  onLost: (reason: string) => void;
  limits?: ProgressLimits;
  /** milliseconds */
  clock?: () => number;
}

/**
 * Watches the calls of a trainer: every heartbeat has the call's progress as its detail, and a call whose engine makes
 * none for too long fails as `TrainerLost`.
 */
export function watchCalls({ step, onLost, limits = PROGRESS_LIMITS, clock = Date.now }: CallWatch) {
  let gaps: LongestGaps = {};
  return (activity: string): WatchedActivity => {
    const progress = new CallProgress();
    let call = callBegins(clock());
    let lose: (error: Failure) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => {
      lose = reject;
    });
    lost.catch(() => undefined);
    return {
      run: (work) => trackCall(progress, work),
      beat() {
        const { computes, ...moment } = progress.now();
        const looked = lookAt(call, gaps, { now: clock(), seen: computes ? moment : null }, limits);
        call = looked.call;
        gaps = looked.gaps;
        if (looked.lost) {
          const seconds = (call.without / 1000).toFixed(0);
          const reason = `${activity}: no progress for ${seconds} s at ${moment.done} of ${moment.of ?? '?'} (${moment.phase})`;
          lose(new Failure('TrainerLost', reason));
          onLost(reason);
        }
        const detail: Heartbeat = { version: CONTRACT_VERSION, step: step(), ...moment };
        return heartbeatSchema.parse(detail);
      },
      lost,
    };
  };
}
