/**
 * One stage from its start to its end: load the policy, train step by step, save and evaluate at milestones, pause or
 * park where an operator, an alarm or an error requires it, and end.
 */
import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import { alarmText } from '../algorithm/run/alarms.ts';
import { commandsText, nextCommands } from '../algorithm/run/next-commands.ts';
import type { StagePlan } from '../contracts/plan.ts';
import type { StageStatus } from '../contracts/stage-state.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator, unhurried } from './activities.ts';
import {
  beginCheckpoint,
  dropCheckpoint,
  joinCheckpoint,
  settleCheckpoint,
  surfaceCheckpoint,
} from './checkpoints.ts';
import { describeFailure, TrainerLost } from './errors.ts';
import { handleMessages, StageControl } from './stage-control.ts';
import { releaseTrainer, showLease } from './trainer.ts';
import {
  loadPolicy,
  reachMilestones,
  type StagePreparation,
  type StageState,
  showDetails,
  type TrainingState,
} from './training-state.ts';

/** A longer history does not wait for the next planned checkpoint: the server terminates one of 51,200 events. */
const EVENTS_OF_ONE_HISTORY = 10_000;
/** The stage parks after this many consecutive lost trainers without a step: the same cause would end the next one. */
const TRAINERS_IN_A_ROW = 5;

/** What differs between kinds of stages. Position, replay, checkpoints, pauses and messages are the same for all. */
export interface StageKind<Plan extends StagePlan> extends StagePreparation<Plan> {
  readonly algorithm: Plan['algorithm'];
  readonly step: (state: TrainingState<Plan>) => Promise<void>;
  /** Runs after the last step; an error parks the stage. Null: nothing to do. */
  readonly finish: ((state: TrainingState<Plan>) => Promise<void>) | null;
}

/** How an attempt to complete a stage ends: with the stage's outcome, or to be started again from its rows. */
type Attempt = StageOutcome | 'again';

/** Runs a stage from the end of its rows to its own end. */
export async function runStage<Plan extends StagePlan>(
  input: StageInput,
  kind: StageKind<Plan>,
): Promise<StageOutcome> {
  const plan = await planOfStage(input, kind);
  const control = new StageControl(input.key, plan.options.max_steps);
  handleMessages(control);
  const { key, historyStep, trainer, shown = { recent: [], samples: [] } } = input;
  showLease(trainer?.lease ?? null);
  const state: StageState<Plan> = {
    key,
    plan,
    control,
    historyStep,
    trainer,
    lost: 0,
    sampled: new Map(),
    pending: null,
    shown,
  };
  if (shown.recent.length > 0) showDetails(state);
  for (;;) {
    const attempt = await untilCancelled(state, kind);
    if (attempt === 'again') continue;
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    return attempt;
  }
}

async function planOfStage<Plan extends StagePlan>(
  { key }: StageInput,
  { algorithm }: StageKind<Plan>,
): Promise<Plan> {
  const { stages } = await orchestrator.loadPlan({ run: key.run });
  const isOurs = (plan: StagePlan): plan is Plan => plan.stage === key.stage && plan.algorithm === algorithm;
  const plan = stages.find(isOurs);
  if (plan === undefined) throw new TypeError(`${key.stage}: not a stage of run ${key.run} by ${algorithm}`);
  return plan;
}

/** Cancelling the workflow aborts the stage. */
async function untilCancelled<Plan extends StagePlan>(
  state: StageState<Plan>,
  kind: StageKind<Plan>,
): Promise<Attempt> {
  try {
    return await untilFailed(state, kind);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => end(state, 'aborted'));
  }
}

/** A lost trainer starts the next attempt; any other error parks the stage and does not fail the run (rule 13). */
async function untilFailed<Plan extends StagePlan>(
  state: StageState<Plan>,
  kind: StageKind<Plan>,
): Promise<Attempt> {
  try {
    return await train(state, kind);
  } catch (error) {
    if (error instanceof ContinueAsNew || isCancellation(error)) throw error;
    if (!(error instanceof TrainerLost)) return await suspend(state, 'parked', describeFailure(error));
    await dropCheckpoint(state);
    state.trainer = null;
    state.lost += 1;
    return state.lost < TRAINERS_IN_A_ROW
      ? 'again'
      : await suspend(state, 'parked', tooManyLost(state, error));
  }
}

const tooManyLost = ({ lost, historyStep }: StageState, last: TrainerLost) =>
  `TrainerLost: ${lost} trainers in a row were lost after step ${historyStep ?? 0}; the last error: ${last.message}. ` +
  'The kernel ends a trainer that needs more memory than there is: see its log and the kernel’s';

/** Trains from the end of the rows to the planned step. */
async function train<Plan extends StagePlan>(
  state: StageState<Plan>,
  kind: StageKind<Plan>,
): Promise<Attempt> {
  const loaded = await loadPolicy(state, kind);
  if (loaded === 'complete')
    return { stage: state.key.stage, step: state.plan.options.max_steps, status: 'complete' };
  state.control.attributes({ status: 'running', step: loaded.step });
  await reachMilestones(loaded);
  const atStart = await actOnAlarms(loaded);
  if (atStart !== null) return atStart;
  while (loaded.step < state.plan.options.max_steps) {
    const { wish } = state.control;
    if (wish?.kind === 'end') return await saveAndAbort(loaded);
    if (wish?.kind === 'pause') return await pause(loaded, wish.author);
    surfaceCheckpoint(loaded);
    await kind.step(loaded);
    const { saved } = await reachMilestones(loaded);
    const suspended = await actOnAlarms(loaded);
    if (suspended !== null) return suspended;
    await limitHistory(loaded, saved);
  }
  await joinCheckpoint(loaded);
  await kind.finish?.(loaded);
  return await end(state, 'complete');
}

/** Continues in a new history at a planned checkpoint; where none is near, at a checkpoint made for it. */
async function limitHistory(state: TrainingState, saved: boolean): Promise<void> {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  const overdue = historyLength >= EVENTS_OF_ONE_HISTORY;
  if (overdue && !saved) await beginCheckpoint(state);
  if (!overdue && !(saved && continueAsNewSuggested)) return;
  await joinCheckpoint(state);
  await continueStage(state);
}

/**
 * Continues as new after a commit, keeping the trainer unless it is lost. An operator's pending request is served
 * first: it would not be part of the new history.
 */
export async function continueStage({
  key,
  historyStep,
  trainer: held,
  control,
  shown,
}: StageState): Promise<void> {
  await condition(allHandlersFinished);
  if (control.wish !== null) return;
  const trainer = held !== null && control.lostQueues.has(held.queue) ? null : held;
  await continueAsNew<(input: StageInput) => Promise<StageOutcome>>({ key, historyStep, trainer, shown });
}

async function pause(state: TrainingState, author: string | null): Promise<Attempt> {
  await saveCurrentStep(state);
  return await suspend(state, 'paused', `at step ${state.step}${author === null ? '' : `, by ${author}`}`);
}

async function saveAndAbort(state: TrainingState): Promise<StageOutcome> {
  await saveCurrentStep(state);
  return await end(state, 'aborted');
}

/** Pauses or parks where an alarm raised since the last call requires it; null where none does. */
async function actOnAlarms(state: TrainingState): Promise<Attempt | null> {
  const raised = state.control.takeRaised();
  const parking = raised.filter(({ action }) => action === 'park');
  const acting = parking.length > 0 ? parking : raised.filter(({ action }) => action === 'pause');
  if (acting.length === 0) return null;
  await saveCurrentStep(state);
  const reason = `at step ${state.step}, ${acting.map(alarmText).join('; ')}`;
  return await suspend(state, parking.length > 0 ? 'parked' : 'paused', reason);
}

async function saveCurrentStep(state: TrainingState): Promise<void> {
  if (state.step > 0 && state.checkpointStep !== state.step) await beginCheckpoint(state);
  await joinCheckpoint(state);
}

/** Releases the trainer and waits for an operator's decision. */
async function suspend(state: StageState, status: 'paused' | 'parked', reason: string): Promise<Attempt> {
  state.control.suspend(status, reason);
  state.control.details(commandsText(nextCommands(status, state.key.run)));
  // A trainer that cannot be released is superseded later, or finds itself idle.
  await logFailure(giveTrainerBack(state));
  await logFailure(setStatus(state, status, reason));
  const decision = await state.control.awaitDecision();
  state.lost = 0;
  if (decision.kind === 'end') return await end(state, 'aborted');
  if (decision.rewound !== null) state.historyStep = decision.rewound.step;
  return 'again';
}

/** A suspended stage waits for its operator even where its status cannot be written (rule 13). */
async function logFailure(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error(describeFailure(error));
  }
}

/** Ends the stage, and with it the lease. */
async function end(state: StageState, status: StageOutcome['status']): Promise<StageOutcome> {
  state.control.phase(status);
  await giveTrainerBack(state);
  await setStatus(state, status);
  return { stage: state.key.stage, step: state.historyStep ?? 0, status };
}

async function giveTrainerBack(state: StageState): Promise<void> {
  await settleCheckpoint(state);
  const held = state.trainer;
  state.trainer = null;
  if (held !== null) await releaseTrainer(held, state.control.lostQueues);
}

async function setStatus(state: StageState, status: StageStatus, reason?: string): Promise<void> {
  state.control.attributes({ status });
  await unhurried.setStageStatus.executeWithOptions({ summary: `stage ${status}` }, [
    { key: state.key, status, reason },
  ]);
}
