import {
  CancellationScope,
  condition,
  defineQuery,
  patched,
  scheduleActivity,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { KnownAnswer } from '../contracts/activities.ts';
import { Failure } from '../contracts/failures.ts';
import type { BranchKey, Lease } from '../contracts/identity.ts';
import type { CommittedCheckpoint } from '../contracts/stage-state.ts';
import type { AcquireResult, TrainingActivities, TrainingCall } from '../contracts/training.ts';
import { type Parsed, parseMessage, versionOf } from '../contracts/training-messages.ts';
import { type HeldTrainer, messages, queues } from '../contracts/workflows.ts';
import { freeTrainers, orchestrator, trainerOptions, turns } from './activities.ts';
import { failureKind, saysTrainerIsLost, TrainerLost } from './errors.ts';

/** Queues of trainers whose successors have reported them dead. Calls to them end at once. */
export type LostQueues = ReadonlySet<string>;

/** Marks histories whose calls are of version 2 of the training contract. */
const CONTRACT_2 = 'training-contract-2';

const leaseQuery = defineQuery<Lease | null>(messages.lease);

/** Answers trainers that ask whether they are superseded: with the stage's current lease, null where it has none. */
export function showLease(lease: Lease | null): void {
  setHandler(leaseQuery, () => lease, { description: 'The lease of the stage’s current trainer' });
}

/**
 * Waits for its turn, takes a free trainer under a new term and has it load `checkpoint`. From here on every older
 * holder of this branch is superseded (rule 5). `policy`: that of a checkpoint of this stage; undefined for a policy of
 * another stage, or where the rows were read by an earlier release.
 */
export async function acquireTrainer(
  key: BranchKey,
  checkpoint: CommittedCheckpoint,
  withReference: boolean,
  policy?: string,
): Promise<HeldTrainer> {
  const lease = await orchestrator.claimTerm({ key });
  return await acquireUnder(lease, checkpoint, withReference, policy, (request) => inTurn(key, request));
}

/** Takes a free trainer under this lease, by default without a turn in the stages' queue. */
export async function acquireUnder(
  lease: Lease,
  checkpoint: CommittedCheckpoint,
  withReference: boolean,
  policy?: string,
  atTurn: <T>(request: () => Promise<T>) => Promise<T> = (request) => request(),
): Promise<HeldTrainer> {
  showLease(lease);
  const summary = `load step ${checkpoint.step} · term ${lease.term}`;
  const current = patched(CONTRACT_2);
  const input = { version: 2, lease, checkpoint: checkpoint.manifest, withReference, policy } as const;
  const answer = await atTurn(() =>
    untilServersAnswer(
      () => freeTrainers.acquire.executeWithOptions({ summary }, [input]),
      () => patched(ACQUIRE_WAITS),
    ),
  );
  const got = answerTo('acquire', answer, current);
  if (current) refuseOtherCheckpoint(got, checkpoint, policy);
  return {
    lease,
    queue: got.queue,
    step: got.step,
    policy: isNamed(got, policy) ? got.policy : null,
    digest: got.digests.weights,
    referenceDigest: got.digests.reference,
    numerics: got.numerics,
    samplerNumerics: got.samplerNumerics,
  };
}

/** Where the rows did not name the policy of a trained checkpoint, its trainer cannot know the history that made it. */
const isNamed = ({ step }: Pick<AcquireResult, 'step'>, asked: string | undefined) =>
  asked !== undefined || step === 0;

/** The trainer must hold what it was asked to load. */
function refuseOtherCheckpoint(
  got: KnownAnswer<AcquireResult>,
  { digests, manifest }: CommittedCheckpoint,
  policy: string | undefined,
): void {
  const shared: readonly string[] = Object.values(queues);
  const pairs = [
    ['digests.weights', digests.weights, got.digests.weights],
    ['policy', policy ?? got.policy, got.policy],
    [
      'queue',
      'one of its own',
      got.queue === '' || shared.includes(got.queue) ? got.queue : 'one of its own',
    ],
  ];
  for (const [field, expected, found] of pairs)
    if (expected !== found)
      throw aboutSomethingElse('acquire', `${field}`, expected, `${found} (${manifest.uri})`);
}

/** The failure of a call whose answer is about something else than was asked. */
export const aboutSomethingElse = (name: TrainingCall, field: string, expected: unknown, found: unknown) =>
  new Failure(
    'BrokenContract',
    `${name}: its result is about something else: ${field}: expected ${expected}, found ${found}. ` +
      'Nothing was done with it; look at the worker',
  );

/**
 * A call's result, checked by its schema. `current` is false where a workflow of the first release made the call: then a
 * result without a version is taken as it is, but for the fields that it lacks.
 */
function answerTo<Name extends TrainingCall>(
  name: Name,
  answer: unknown,
  current: boolean,
): KnownAnswer<Parsed<Name, 'result'>> {
  const known = (value: unknown) => value as KnownAnswer<Parsed<Name, 'result'>>;
  if (current || versionOf(answer) !== undefined) return known(parseMessage(name, 'result', answer));
  // `release` of the first release returned nothing.
  const fields = { ...(answer as { numerics?: unknown } | null | undefined) };
  return known({
    policy: null,
    fingerprintAfter: null,
    samplerNumerics: fields.numerics,
    ...fields,
    version: 2,
  });
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

type OwnCalls = Omit<TrainingActivities, 'acquire' | 'score'>;

/**
 * One call to the trainer. Where a server does not answer the trainer, the call is repeated. Throws `TrainerLost` where
 * the trainer is gone, at once where its successor has reported it dead.
 * @throws Failure 'BrokenContract' or 'UnknownVersion' where the answer breaks the training contract.
 */
export async function callTrainer<Name extends keyof OwnCalls>(
  trainer: HeldTrainer,
  lost: LostQueues,
  name: Name,
  summary: string,
  input: Omit<Parameters<OwnCalls[Name]>[0], 'lease' | 'version'>,
): Promise<KnownAnswer<Parsed<Name, 'result'>>> {
  const current = patched(CONTRACT_2);
  if (current && !speaksContract(trainer))
    throw new TrainerLost(`${name} on ${trainer.queue}: a trainer of an earlier release`);
  const answer = await answerOf(trainer, lost, name, summary, { version: 2, ...input });
  return answerTo(name, answer, current);
}

/** The answer of a trainer to a call, unchecked. Throws `TrainerLost`. */
export async function answerOf(
  trainer: HeldTrainer,
  lost: LostQueues,
  name: string,
  summary: string,
  input: object,
): Promise<unknown> {
  const args = [{ ...input, lease: trainer.lease }];
  const options = { ...trainerOptions(trainer.queue), summary };
  const call = () => scheduleActivity<unknown>(name, args, options);
  try {
    return await untilServersAnswer(() => untilLost(trainer.queue, lost, call));
  } catch (error) {
    if (saysTrainerIsLost(error)) throw new TrainerLost(`${name} on ${trainer.queue}: no answer`);
    throw error;
  }
}

/** Whether a trainer was acquired by this release. */
export const speaksContract = ({ policy = null }: HeldTrainer) => policy !== null;

/** The policy that a trainer holds. Empty only in histories of the first release, whose calls are over. */
export const policyOf = ({ policy }: HeldTrainer): string => policy ?? '';

/** Marks histories in which `acquire` is repeated for as long as a server is unavailable. */
const ACQUIRE_WAITS = 'acquire-waits-for-servers';
/** Failures that end without a change to the run: a server is unavailable, a disk is full. */
const WAITED_FOR: ReadonlySet<string | null> = new Set(['Unavailable', 'OutOfSpace']);

/** Repeats a call, with pauses, for as long as it fails because a server is unavailable or a disk is full. */
export async function untilServersAnswer<T>(call: () => Promise<T>, goesOn = () => true): Promise<T> {
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
