import { Failure } from '../../contracts/failures.ts';
import type { Lease } from '../../contracts/identity.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { AcquireResult, Digests, TrainStepResult } from '../../contracts/training.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import type { Failpoints } from '../failpoints.ts';

/** The policy that a trainer holds under a lease, and its state. */
export interface HeldPolicy {
  readonly lease: Lease;
  readonly queue: string;
  readonly acquired: AcquireResult;
  readonly numerics: Numerics;
  /** the checkpoint's folder without its weights: configuration, tokenizer, templates */
  readonly files: Record<string, Reference>;
  /** steps its policy has been trained */
  step: number;
  /** digest of the weights; null where the last step did not compute it */
  digest: string | null;
  referenceDigest: string | null;
  /** the last batch trained and its result, which a repeated request returns */
  last: { batch: Reference; result: TrainStepResult } | null;
}

/** Shared by a trainer's activities: one engine, one policy at a time, calls one after the other. */
export interface TrainerContext {
  readonly objects: ObjectStore;
  readonly engine: EngineThread;
  readonly failpoints: Failpoints;
  /** the name of the queue that serves a lease */
  queueFor(lease: Lease): string;
  held: HeldPolicy | null;
  /** called after a lease is acquired (its policy) or released (null) */
  onLease(held: HeldPolicy | null): void;
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

/** Runs calls one after the other, in the order in which they are made. */
export function createMutex(): TrainerContext['exclusive'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}

export const sameLease = (a: Lease, b: Lease) =>
  a.run === b.run && a.stage === b.stage && a.branch === b.branch && a.term === b.term;

/** The policy held under this lease. Throws Failure `TrainerLost` where another lease holds one, or none is held. */
export function policyOf({ held }: TrainerContext, lease: Lease): HeldPolicy {
  if (held !== null && sameLease(held.lease, lease)) return held;
  const found =
    held === null
      ? 'no policy'
      : `the policy of ${held.lease.run}/${held.lease.stage} term ${held.lease.term}`;
  throw new Failure(
    'TrainerLost',
    `expected the policy of ${lease.run}/${lease.stage} term ${lease.term}, found ${found}: acquire a trainer again`,
  );
}

/** Refuses to compute with another policy than the caller expects (rule 9). */
export function refuseOtherPolicy(held: HeldPolicy, expectedDigest: string): void {
  if (held.digest === expectedDigest) return;
  throw new Failure(
    'Contradiction',
    `step ${held.step}: expected the policy ${expectedDigest}, found ${held.digest ?? 'one without a digest'}`,
  );
}

/** Compares the digests of the loaded parts with those that the manifest names (rule 11). */
export function refuseOtherDigests(expected: Digests, found: Digests, uri: string): void {
  for (const part of ['weights', 'moments', 'reference'] as const) {
    if (expected[part] === null || expected[part] === found[part]) continue;
    throw new Failure(
      'CorruptObject',
      `${uri}: expected ${part} with digest ${expected[part]}, found ${found[part]}; restore the objects or resume from another checkpoint`,
    );
  }
}
