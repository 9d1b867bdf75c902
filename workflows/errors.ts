import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { Failure, type FailureKind } from '../contracts/failures.ts';

/** The trainer that held the policy is gone, or no longer holds it. The stage acquires another. */
export class TrainerLost extends Error {
  override readonly name = 'TrainerLost';
}

/** The kind of an activity's failure; null where it has none. */
export function failureKind(error: unknown): FailureKind | string | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof Failure) return cause.kind;
  return cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
}

/** Whether the last attempt of an activity that timed out failed with this kind. */
export function lastFailedFor(error: unknown, kind: FailureKind): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === kind) return true;
  }
  return false;
}

/** Whether a call to a trainer failed because the trainer is gone: it timed out, or the trainer said so. */
export function saysTrainerIsLost(error: unknown): boolean {
  if (error instanceof TrainerLost) return true;
  const timedOut = error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
  return timedOut || failureKind(error) === 'TrainerLost';
}

/** The error that an activity threw, without Temporal's wrappers. */
export function innermost(error: unknown): Error {
  const inner = error instanceof ActivityFailure && error.cause ? error.cause : error;
  return inner instanceof Error ? inner : new Error(String(inner));
}

/** The reason shown for a parked stage: activity, failure kind, innermost message. */
export function describeFailure(error: unknown): string {
  const activity = error instanceof ActivityFailure ? `${error.activityType}: ` : '';
  const kind = failureKind(error);
  return `${activity}${kind ? `${kind}: ` : ''}${innermost(error).message}`;
}
