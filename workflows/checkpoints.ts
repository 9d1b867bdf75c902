/** Checkpoints of a stage: the trainer stages its state, then training goes on while the checkpoint is written. */
import { CancellationScope, isCancellation, log, patched } from '@temporalio/workflow';
import type { KnownAnswer } from '../contracts/activities.ts';
import type { BranchKey, StepKey } from '../contracts/identity.ts';
import type { CheckpointResult } from '../contracts/training.ts';
import type { HeldTrainer, StageShown } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { describeFailure, failureKind, TrainerLost } from './errors.ts';
import type { StageControl } from './stage-control.ts';
import { aboutSomethingElse, answerOf, callTrainer } from './trainer.ts';

/** Marks histories whose checkpoints are written while training goes on. */
const BESIDE = 'checkpoints-beside-training';
export const checkpointsBeside = (): boolean => patched(BESIDE);

/** A checkpoint that is staged, and not committed yet. */
export interface PendingCheckpoint {
  readonly step: number;
  readonly scope: CancellationScope;
  /** ends when the checkpoint is committed or has failed; never rejects */
  readonly ended: Promise<void>;
  /** why it failed; null: not, or not yet */
  error: unknown;
}

/** What waiting for a checkpoint needs of a stage's state. */
interface Saving {
  readonly control: StageControl;
  /** the checkpoint under way; null where there is none */
  pending: PendingCheckpoint | null;
}

/** What making one needs. */
interface Saved extends Saving {
  readonly branch: BranchKey;
  readonly step: number;
  readonly trainer: HeldTrainer;
  readonly shown: StageShown;
  readonly acrossNumericsChange: boolean;
  checkpointStep: number;
}

/** Stages a checkpoint of the current step, after the one under way; it is written and committed beside what follows. */
export async function beginCheckpoint(state: Saved): Promise<void> {
  if (!checkpointsBeside()) return await commitAtOnce(state);
  await joinCheckpoint(state);
  const { step, trainer } = state;
  state.control.phase('staging a checkpoint', `step ${step}`);
  const summary = `step ${step} · stage a checkpoint`;
  const staged = await callTrainer(trainer, state.control.lostQueues, 'beginCheckpoint', summary, {
    expectedStep: step,
  });
  refuseOther('beginCheckpoint', { step, policy: trainer.policy }, staged);
  const scope = new CancellationScope();
  const key = { ...state.branch, step };
  const reward = state.shown.recent.at(-1)?.batch.reward ?? undefined;
  const pending: PendingCheckpoint = {
    step,
    scope,
    error: null,
    ended: scope
      .run(() => finish(state, trainer, key, state.acrossNumericsChange))
      .then(() => state.control.attributes({ step, reward }))
      .catch((error: unknown) => {
        pending.error = error;
      }),
  };
  state.pending = pending;
  state.checkpointStep = step;
}

/** Objects, the manifest, and last the row: the commit (rule 4). */
async function finish(
  { control }: Saved,
  trainer: HeldTrainer,
  key: StepKey,
  acrossSeam: boolean,
): Promise<void> {
  const { step } = key;
  const summary = `step ${step} · write the checkpoint`;
  const made = await callTrainer(trainer, control.lostQueues, 'finishCheckpoint', summary, { step });
  refuseOther('finishCheckpoint', { step, policy: trainer.policy }, made);
  await commit(key, trainer, made, acrossSeam);
}

/** Throws TrainerLost where an object that the trainer found was deleted since: the next trainer writes it again. */
async function commit(
  key: StepKey,
  { lease: { term } }: HeldTrainer,
  checkpoint: KnownAnswer<CheckpointResult>,
  acrossSeam: boolean,
): Promise<void> {
  const summary = `step ${key.step} · checkpoint · commit`;
  try {
    await orchestrator.commitCheckpoint.executeWithOptions({ summary }, [
      { key, term, checkpoint, acrossSeam },
    ]);
  } catch (error) {
    if (failureKind(error) === 'TrainerLost') throw new TrainerLost(describeFailure(error));
    throw error;
  }
}

function refuseOther(
  name: 'beginCheckpoint' | 'finishCheckpoint',
  expected: { step: number; policy: string | null | undefined },
  found: { step: number; policy: string | null },
): void {
  for (const field of ['step', 'policy'] as const)
    if (expected[field] !== found[field])
      throw aboutSomethingElse(name, field, expected[field], found[field]);
}

/** Throws the error of a checkpoint that has failed beside training. */
export function surfaceCheckpoint(state: Saving): void {
  const { pending } = state;
  if (pending === null || pending.error === null) return;
  state.pending = null;
  throw pending.error;
}

/** Waits for the checkpoint under way, and throws its error. */
export async function joinCheckpoint(state: Saving): Promise<void> {
  if (state.pending === null) return;
  state.control.phase('writing a checkpoint', `step ${state.pending.step}`);
  await state.pending.ended;
  surfaceCheckpoint(state);
  state.pending = null;
}

/** Waits for the checkpoint under way; where it fails, the stage has ended for another reason, and goes by its rows. */
export async function settleCheckpoint(state: Saving): Promise<void> {
  try {
    await joinCheckpoint(state);
  } catch (error) {
    if (!isCancellation(error)) log.warn(`a checkpoint under way failed: ${describeFailure(error)}`);
  }
}

/** Ends the checkpoint under way: its trainer is lost, and with it what it had staged. */
export async function dropCheckpoint(state: Saving): Promise<void> {
  state.pending?.scope.cancel();
  await state.pending?.ended;
  state.pending = null;
}

/** As the first release did, for its histories: the trainer writes the checkpoint, and nothing else happens meanwhile. */
async function commitAtOnce(state: Saved): Promise<void> {
  const { step, trainer } = state;
  state.control.phase('committing a checkpoint', `step ${step}`);
  const made = (await answerOf(trainer, state.control.lostQueues, 'checkpoint', `step ${step} · checkpoint`, {
    expectedStep: step,
  })) as KnownAnswer<CheckpointResult>;
  const key = { ...state.branch, step };
  await commit(key, trainer, { ...made, policy: null }, state.acrossNumericsChange);
  state.checkpointStep = step;
  state.control.attributes({ step, reward: state.shown.recent.at(-1)?.batch.reward ?? undefined });
}
