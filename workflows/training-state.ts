/** The state of a stage's workflow, and what changes it: loading a policy, replaying the log, steps, milestones. */
import { type Milestones, milestonesAt } from '../algorithm/run/milestones.ts';
import { equalNumerics, sameNumerics } from '../algorithm/run/numerics-changes.ts';
import type {
  KnownAnswer,
  LoggedBatch,
  MakeBatchResult,
  RecordStepInput,
  StagePosition,
} from '../contracts/activities.ts';
import type { RaisedAlarm } from '../contracts/alarms.ts';
import { Failure } from '../contracts/failures.ts';
import type { BranchKey, StageKey } from '../contracts/identity.ts';
import type { Numerics } from '../contracts/numerics.ts';
import type { StagePlan } from '../contracts/plan.ts';
import type { Cursor } from '../contracts/records/schemas.ts';
import type { CurrentRollout } from '../contracts/stage-state.ts';
import type { TrainStepResult } from '../contracts/training.ts';
import type { HeldTrainer, StageShown, StepStory } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { beginCheckpoint, checkpointsBeside, type PendingCheckpoint } from './checkpoints.ts';
import { evaluate } from './evaluation.ts';
import type { SampledShards } from './rollout.ts';
import { type StageControl, WAITING } from './stage-control.ts';
import { stageDetails, stepSummary } from './stage-details.ts';
import { aboutSomethingElse, acquireTrainer, callTrainer } from './trainer.ts';

/** A stage's workflow, with or without a trainer. */
export interface StageState<Plan extends StagePlan = StagePlan> {
  readonly key: StageKey;
  readonly plan: Plan;
  readonly control: StageControl;
  /** the last step that this history knows to be committed; null before the rows are read (rule 6) */
  historyStep: number | null;
  trainer: HeldTrainer | null;
  /** trainers lost since the last step was recorded */
  lost: number;
  /** shards of the current rollout that are sampled, for an attempt after a lost trainer */
  readonly sampled: SampledShards;
  /** the checkpoint under way; null where there is none */
  pending: PendingCheckpoint | null;
  shown: StageShown;
}

/** A stage whose rows are read, and whose trainer holds the policy of the last step. */
export interface TrainingState<Plan extends StagePlan = StagePlan> extends StageState<Plan> {
  readonly branch: BranchKey;
  trainer: HeldTrainer;
  step: number;
  cursor: Cursor;
  rollout: CurrentRollout | null;
  /** numerics of the last recorded step */
  numerics: Numerics | null;
  /** whether the current step is recorded, and was trained again under numerics that may give other bits */
  acrossNumericsChange: boolean;
  /** step of the last checkpoint that is committed or under way */
  checkpointStep: number;
  evaluated: Set<string>;
}

/** What a kind of stage needs before its first step. */
export interface StagePreparation<Plan extends StagePlan> {
  /** Runs before the stage's own policy is loaded; null: nothing to prepare. */
  readonly prepare: ((state: StageState<Plan>, branch: BranchKey) => Promise<void>) | null;
  /** Whether the trainer also holds a reference policy. */
  readonly withReference: (plan: Plan) => boolean;
}

type StepResult = KnownAnswer<TrainStepResult>;

/** Rows of the table of steps in the Temporal UI. */
const STEPS_SHOWN = 10;

/** Reads the stage's position from its rows, has a trainer load that policy, and replays the log after it. */
export async function loadPolicy<Plan extends StagePlan>(
  state: StageState<Plan>,
  { prepare, withReference }: StagePreparation<Plan>,
): Promise<TrainingState<Plan> | 'complete'> {
  state.control.phase('reading the stage’s position');
  const position = await orchestrator.openStage({ key: state.key, historyStep: state.historyStep });
  if (position.status === 'complete') return 'complete';
  state.control.reached(position.step);
  state.control.knows(position);
  const branch = { ...state.key, branch: position.branch };
  await prepare?.(state, branch);
  state.control.phase(WAITING);
  const reference = withReference(state.plan);
  state.trainer = isAtPosition(state.trainer, position)
    ? state.trainer
    : await acquireTrainer(branch, position.checkpoint, reference, position.policy);
  const loaded: TrainingState<Plan> = Object.assign(state, {
    branch,
    trainer: state.trainer,
    step: state.trainer.step,
    cursor: position.cursor,
    rollout: position.rollout,
    numerics: position.numerics,
    acrossNumericsChange: false,
    checkpointStep: position.checkpoint.step,
    evaluated: new Set(position.evaluated),
  });
  await replayLog(loaded, position);
  return loaded;
}

/** Whether the trainer that this history holds is between the last recorded step and the end of the log. */
function isAtPosition(trainer: HeldTrainer | null, position: StagePosition): trainer is HeldTrainer {
  const end = position.logged.at(-1)?.step ?? position.checkpoint.step;
  return (
    trainer !== null &&
    trainer.lease.branch === position.branch &&
    trainer.step >= position.step &&
    trainer.step <= end
  );
}

/**
 * Trains again on the logged batches after the checkpoint (rule 1); nothing is sampled. A step that has a row must
 * end in the digest of that row, unless the numerics differ: then a numerics change is recorded.
 */
async function replayLog(state: TrainingState, position: StagePosition): Promise<void> {
  for (const logged of position.logged) {
    const { step, batch, recorded } = logged;
    if (step <= state.trainer.step) continue;
    state.control.phase('replaying the log', `step ${step} of ${position.logged.at(-1)?.step}`);
    const before = recorded?.numerics ?? position.numerics;
    const acrossSeam = before !== null && !sameNumerics(before, state.trainer.numerics);
    state.acrossNumericsChange ||= acrossSeam;
    const startedAt = Date.now();
    const summary = `step ${step} · replay`;
    const input = { batch, expectedStep: step - 1, acrossSeam };
    const result = await callTrainer(state.trainer, state.control.lostQueues, 'trainStep', summary, input);
    stepTrained(state, result);
    refuseOtherPolicy(logged, result);
    if (recorded === null) await recordReplayed(state, logged, result, startedAt);
    else if (!acrossSeam) refuseOtherBits(step, recorded, result);
    await replaceCheckpoint(state);
  }
}

/** A planned checkpoint that was under way when its trainer was lost is made again where the replay passes its step. */
async function replaceCheckpoint(state: TrainingState): Promise<void> {
  const due = milestonesAt(state.step, state.plan.options).save && state.checkpointStep < state.step;
  if (due && checkpointsBeside()) await beginCheckpoint(state);
}

async function recordReplayed(
  state: TrainingState,
  { step, batch, tokensSampled }: LoggedBatch,
  result: StepResult,
  startedAt: number,
): Promise<void> {
  const spent = { tokensSampled, sampling: 0, scoring: 0, logprobs: 0 };
  const key = { ...state.branch, step };
  const { term } = state.trainer.lease;
  const { alarms } = await orchestrator.recordStep.executeWithOptions(
    { summary: `step ${step} · record the replayed step` },
    [{ key, term, batch, result, spent, startedAt, seam: changesNumerics(state, result) }],
  );
  stepRecorded(state, result, alarms);
}

/** The logged batches name the policy after a step; positions that an earlier release read do not. */
function refuseOtherPolicy({ policy }: LoggedBatch, result: StepResult): void {
  if (policy === undefined || result.policy === null || policy === result.policy) return;
  throw aboutSomethingElse('trainStep', 'policy', policy, result.policy);
}

/** Digests and fingerprints are compared where both sides have computed them. */
function refuseOtherBits(
  step: number,
  recorded: NonNullable<LoggedBatch['recorded']>,
  result: Pick<StepResult, 'digestAfter' | 'fingerprintAfter'>,
): void {
  const pairs = [
    ['digest', recorded.digestAfter, result.digestAfter],
    ['fingerprint', recorded.fingerprintAfter ?? null, result.fingerprintAfter],
  ] as const;
  for (const [what, expected, found] of pairs) {
    if (expected === null || found === null || expected === found) continue;
    throw new Failure(
      'Contradiction',
      `replaying step ${step}: expected ${what} ${expected}, found ${found}, under equal numerics; ` +
        'the log, the checkpoint or the trainer has changed: compare them before you resume',
    );
  }
}

/** Whether this step follows one that was computed under other numerics (rule 12). */
const changesNumerics = (state: TrainingState, result: StepResult) =>
  state.numerics !== null && (state.acrossNumericsChange || !equalNumerics(state.numerics, result.numerics));

/** Trains on a logged batch, records the step and shows it: what every kind of stage does with its batch. */
export async function trainStep(
  state: TrainingState,
  batch: MakeBatchResult,
  { spent, startedAt }: Pick<RecordStepInput, 'spent' | 'startedAt'>,
): Promise<void> {
  const step = state.step + 1;
  state.control.phase('training');
  const input = { batch: batch.batch, expectedStep: step - 1, acrossSeam: false };
  const summary = `step ${step} · train`;
  const result = await callTrainer(state.trainer, state.control.lostQueues, 'trainStep', summary, input);
  stepTrained(state, result);
  const seam = changesNumerics(state, result);
  const shown = { step, batch, result, seam };
  const key = { ...state.branch, step };
  const { term } = state.trainer.lease;
  const { alarms } = await orchestrator.recordStep.executeWithOptions({ summary: stepSummary(shown) }, [
    { key, term, batch: batch.batch, result, spent, startedAt, seam },
  ]);
  stepRecorded(state, result, alarms);
  showStep(state, shown);
}

/** The trainer has trained a step; its row is not committed yet. */
function stepTrained(state: TrainingState, result: StepResult): void {
  const { step, policy, digestAfter, referenceDigest, numerics } = result;
  const expected = state.trainer.step + 1;
  if (step !== expected) throw aboutSomethingElse('trainStep', 'step', expected, step);
  state.trainer = { ...state.trainer, step, policy, digest: digestAfter, referenceDigest, numerics };
  state.step = step;
}

/**
 * The step's row is committed. `alarms` are those raised with the step; activities of releases before alarms existed
 * send none.
 */
function stepRecorded(state: TrainingState, result: StepResult, alarms: readonly RaisedAlarm[] = []): void {
  const { step, numerics } = result;
  if (state.numerics !== null && changesNumerics(state, result))
    state.control.numericsChanged({ step, before: state.numerics, after: numerics });
  state.numerics = numerics;
  state.acrossNumericsChange = false;
  state.lost = 0;
  state.historyStep = step;
  state.control.reached(step);
  state.control.raised(alarms);
}

/** Adds a step to the table in the Temporal UI. */
function showStep(state: TrainingState, shown: StepStory): void {
  const { recent, samples } = state.shown;
  state.shown = { recent: [...recent, shown].slice(-STEPS_SHOWN), samples };
  showDetails(state);
}

export const showDetails = ({ control, shown, plan }: StageState): void =>
  control.details(stageDetails(shown, plan.options.max_steps));

/** Saves and evaluates where the current step is due for it, unless the rows say that it is done. */
export async function reachMilestones(state: TrainingState): Promise<{ saved: boolean }> {
  const due = milestonesAt(state.step, state.plan.options);
  const saved = due.save && state.checkpointStep !== state.step;
  if (saved) await beginCheckpoint(state);
  const as = state.step === 0 ? originName(state.plan) : state.key.stage;
  if (isEvaluated(state.plan, due) && as !== null && !state.evaluated.has(`${as}@${state.step}`)) {
    state.control.phase('evaluating', state.step === 0 ? `the ${as}` : `step ${state.step}`);
    const { key, trainer, step } = state;
    const quick = due.evaluate === 'quick';
    const { language } = state.plan.evaluation;
    const lost = state.control.lostQueues;
    const { alarms } = await evaluate({ key, trainer, lost, as, step, quick, checkpoint: null, language });
    state.evaluated.add(`${as}@${step}`);
    state.control.raised(alarms);
  }
  return { saved };
}

/** The name under which the initial model is evaluated; null where an earlier stage has evaluated it. */
const originName = ({ origin }: StagePlan) => (origin.kind === 'model' ? origin.name : null);

/** A reward model generates nothing: its ranking accuracy is measured at the stage's end instead. */
const isEvaluated = ({ algorithm }: StagePlan, { evaluate }: Milestones) =>
  evaluate !== null && algorithm !== 'reward-model';
