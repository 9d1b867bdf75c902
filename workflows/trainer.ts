import { CancellationScope, condition, patched, scheduleActivity, sleep } from '@temporalio/workflow';
import type { BranchKey } from '../contracts/identity.ts';
import type { CommittedCheckpoint } from '../contracts/stage-state.ts';
import type { TrainingActivities } from '../contracts/training.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { freeTrainers, orchestrator, trainerOptions, turns } from './activities.ts';
import { failureKind, saysTrainerIsLost, TrainerLost } from './errors.ts';

/** Queues of trainers whose successors have reported them dead. Calls to them end at once. */
export type LostQueues = ReadonlySet<string>;

/**
 * Waits for its turn, takes a free trainer under a new term and has it load `checkpoint`. From here on every older
 * holder of this branch is superseded (rule 5).
 */
export async function acquireTrainer(
  key: BranchKey,
  checkpoint: CommittedCheckpoint,
  withReference: boolean,
): Promise<HeldTrainer> {
  const lease = await orchestrator.claimTerm({ key });
  const summary = `load step ${checkpoint.step} · term ${lease.term}`;
  const input = { lease, checkpoint: checkpoint.manifest, withReference };
  const got = await inTurn(key, () =>
    untilServersAnswer(
      () => freeTrainers.acquire.executeWithOptions({ summary }, [input]),
      () => patched(ACQUIRE_WAITS),
    ),
  );
  return {
    lease,
    queue: got.queue,
    step: got.step,
    digest: got.digests.weights,
    referenceDigest: got.digests.reference,
    numerics: got.numerics,
  };
}

/** Marks histories whose stages queue for a trainer. */
const QUEUES = 'queues-for-trainer';

/** Waits for the stage's turn in the queue, then requests a trainer. */
async function inTurn<T>({ run, stage }: BranchKey, request: () => Promise<T>): Promise<T> {
  if (!patched(QUEUES)) return await request();
  const key = { run, stage };
  try {
    await turns.awaitTurn.executeWithOptions({ summary: 'wait for its turn' }, [{ key }]);
    return await request();
  } finally {
    await CancellationScope.nonCancellable(() => orchestrator.leaveTrainerQueue({ key }));
  }
}

type OwnCalls = Omit<TrainingActivities, 'acquire'>;

/**
 * One call to the trainer. Where a server does not answer the trainer, the call is repeated. Throws `TrainerLost` where
 * the trainer is gone, at once where its successor has reported it dead.
 */
export async function callTrainer<Name extends keyof OwnCalls>(
  trainer: HeldTrainer,
  lost: LostQueues,
  name: Name,
  summary: string,
  input: Omit<Parameters<OwnCalls[Name]>[0], 'lease'>,
): Promise<Awaited<ReturnType<OwnCalls[Name]>>> {
  const args = [{ lease: trainer.lease, ...input }];
  const options = { ...trainerOptions(trainer.queue), summary };
  const call = () => scheduleActivity<Awaited<ReturnType<OwnCalls[Name]>>>(name, args, options);
  try {
    return await untilServersAnswer(() => untilLost(trainer.queue, lost, call));
  } catch (error) {
    if (saysTrainerIsLost(error)) throw new TrainerLost(`${name} on ${trainer.queue}: no answer`);
    throw error;
  }
}

/** Marks histories in which `acquire` is repeated for as long as a server is unavailable. */
const ACQUIRE_WAITS = 'acquire-waits-for-servers';
/** Failures that end without a change to the run: a server is unavailable, a disk is full. */
const WAITED_FOR: ReadonlySet<string | null> = new Set(['Unavailable', 'OutOfSpace']);

/** Repeats a call, with pauses, for as long as it fails because a server is unavailable or a disk is full. */
async function untilServersAnswer<T>(call: () => Promise<T>, goesOn = () => true): Promise<T> {
  for (let wait = 500; ; wait = Math.min(wait * 2, 15_000)) {
    try {
      return await call();
    } catch (error) {
      if (!WAITED_FOR.has(failureKind(error)) || !goesOn()) throw error;
      await sleep(wait);
    }
  }
}

async function untilLost<T>(queue: string, lost: LostQueues, run: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  const watch = new CancellationScope();
  const gone = watch
    .run(() => condition(() => lost.has(queue)))
    .then(() => {
      throw new TrainerLost(`the trainer on ${queue} has died`);
    });
  gone.catch(() => undefined);
  try {
    return await Promise.race([scope.run(run), gone]);
  } catch (error) {
    if (error instanceof TrainerLost) scope.cancel();
    throw error;
  } finally {
    watch.cancel();
  }
}

/** Releases the trainer; nothing to do where it is gone. */
export async function releaseTrainer(trainer: HeldTrainer, lost: LostQueues): Promise<void> {
  try {
    await callTrainer(trainer, lost, 'release', `release the trainer · term ${trainer.lease.term}`, {});
  } catch (error) {
    if (!(error instanceof TrainerLost)) throw error;
  }
}
