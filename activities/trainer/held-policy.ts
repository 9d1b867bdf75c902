import { Failure } from '../../contracts/failures.ts';
import type { Lease } from '../../contracts/identity.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import type { Reference } from '../../contracts/reference.ts';
import type {
  AcquireResult,
  BeginCheckpointResult,
  CheckpointResult,
  Digests,
  Manifest,
  TrainStepResult,
} from '../../contracts/training.ts';
import type { Staged } from '../../engine/service/service-arrays.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import type { FileCache } from '../../stores/objects/file-cache.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import type { Failpoints } from '../failpoints.ts';

/** The policy that a trainer holds under a lease, and its state. */
export interface HeldPolicy {
  readonly lease: Lease;
  readonly queue: string;
  readonly acquired: AcquireResult;
  /** of training and log-probabilities */
  readonly numerics: Numerics;
  readonly samplerNumerics: Numerics;
  /** the checkpoint's folder without its weights: configuration, tokenizer, templates */
  readonly files: Record<string, Reference>;
  /** its `config.json` */
  readonly config: unknown;
  /** steps its policy has been trained */
  step: number;
  /** the policy's id */
  policy: string;
  /**
   * digest of the weights: before the first step that of the loaded checkpoint, over the dtype that it is stored in;
   * afterwards that of the float32 weights in memory; null where the last step did not compute it */
  digest: string | null;
  referenceDigest: string | null;
  /** the last batch trained and its result, which a repeated request returns */
  last: { batch: Reference; result: TrainStepResult } | null;
  /** the last checkpoint that was begun; null before the first */
  checkpoint: CheckpointUnderWay | null;
}

/** A checkpoint between `beginCheckpoint` and its result. */
export interface CheckpointUnderWay {
  readonly began: BeginCheckpointResult;
  /** the manifest, but for what is known only once the objects are written */
  readonly manifest: Pick<Manifest, 'lease' | 'step' | 'policy' | 'numerics' | 'files'>;
  /** copies of the state; null once they are written, or dropped */
  staged: Staged | null;
  /** null: not asked for, or failed */
  finishing: Promise<CheckpointResult> | null;
}

/** Shared by a trainer's activities: one engine, one policy at a time, calls one after the other. */
export interface TrainerContext {
  readonly objects: ObjectStore;
  /** local files of the checkpoints that are loaded */
  readonly cache: FileCache;
  readonly engine: EngineThread;
  readonly failpoints: Failpoints;
  /** bytes of tensors in one file of a checkpoint; by default 5 GB */
  readonly mostFileBytes?: number;
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

/** Refuses to compute with a policy of another number of steps. */
export function refuseOtherStep(held: HeldPolicy, expectedStep: number): void {
  if (held.step === expectedStep) return;
  throw new Failure(
    'TrainerLost',
    `expected a policy of ${expectedStep} steps, found one of ${held.step}: acquire again`,
  );
}

/** Refuses to compute with another policy than the caller expects (rule 9). */
export function refuseOtherPolicy({ step, policy }: HeldPolicy, expected: string): void {
  if (policy === expected) return;
  throw new Failure('Contradiction', `step ${step}: expected the policy ${expected}, found ${policy}`);
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
