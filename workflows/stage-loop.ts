import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { BranchKey } from '../contracts/identity.ts';
import type { StagePlan } from '../contracts/plan.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { describeFailure, TrainerLost } from './errors.ts';
import { StageDesk } from './stage-desk.ts';
import { hearMessages } from './stage-messages.ts';
import { end, endInOrder, heedAlarms, park, pause, type Rested } from './stage-rest.ts';
import {
  commitCheckpoint,
  findPlace,
  keepMilestones,
  type StageWalk,
  type StandingWalk,
  showDetails,
} from './stage-walk.ts';

/** A history of more events does not wait for the next planned checkpoint: the server ends one of 51,200. */
const EVENTS_OF_ONE_HISTORY = 10_000;
/** So many trainers lost without a step between them park the stage: what takes them will take the next. */
const TRAINERS_IN_A_ROW = 5;

/** What kinds of stages differ in; all else (place, replay, checkpoints, rests, messages) is the same. */
export interface StageKind<Plan extends StagePlan> {
  readonly algorithm: Plan['algorithm'];
  /** Sees to what must be there before the stage's own policy is loaded; null: nothing. */
  readonly prepare: ((walk: StageWalk<Plan>, branch: BranchKey) => Promise<void>) | null;
  /** Whether a reference policy is held. */
  readonly withReference: (plan: Plan) => boolean;
  readonly step: (walk: StandingWalk<Plan>) => Promise<void>;
  /** Looks at the policy after the last step; what it throws parks the stage. Null: nothing. */
  readonly finish: ((walk: StandingWalk<Plan>) => Promise<void>) | null;
}

/** Walks a stage from where its rows end to its own end, resting where it must. */
export async function runStage<Plan extends StagePlan>(
  input: StageInput,
  kind: StageKind<Plan>,
): Promise<StageOutcome> {
  const plan = await planOfStage(input, kind);
  const desk = new StageDesk(input.key, plan.options.max_steps);
  hearMessages(desk);
  const { key, historyStep, trainer, shown = { recent: [], samples: [] } } = input;
  const walk: StageWalk<Plan> = { key, plan, desk, historyStep, trainer, lost: 0, shown };
  if (shown.recent.length > 0) showDetails(walk);
  for (;;) {
    const rested = await walkOn(walk, kind);
    if (rested === 'again') continue;
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    return rested;
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

/** Walks on until the stage ends or is to be taken up again; who cancels its workflow aborts it. */
async function walkOn<Plan extends StagePlan>(walk: StageWalk<Plan>, kind: StageKind<Plan>): Promise<Rested> {
  try {
    return await untilItRests(walk, kind);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => end(walk, 'aborted'));
  }
}

/** Walks as far as it goes: to the end, to a rest from which the stage goes on, or to a lost trainer. */
async function untilItRests<Plan extends StagePlan>(
  walk: StageWalk<Plan>,
  kind: StageKind<Plan>,
): Promise<Rested> {
  try {
    return await toTheEnd(walk, kind);
  } catch (error) {
    if (error instanceof ContinueAsNew || isCancellation(error)) throw error;
    if (!(error instanceof TrainerLost)) return await park(walk, describeFailure(error));
    walk.trainer = null;
    walk.lost += 1;
    return walk.lost < TRAINERS_IN_A_ROW ? 'again' : await park(walk, tooManyLost(walk, error));
  }
}

const tooManyLost = ({ lost, historyStep }: StageWalk, last: TrainerLost) =>
  `TrainerLost: ${lost} trainers in a row were lost after step ${historyStep ?? 0}, the last one so: ${last.message}. ` +
  'A trainer that takes more memory than there is, is ended without a word: see its log and the kernel’s';

async function toTheEnd<Plan extends StagePlan>(
  walk: StageWalk<Plan>,
  kind: StageKind<Plan>,
): Promise<Rested> {
  const standing = await findPlace(walk, kind);
  if (standing === 'complete')
    return { stage: walk.key.stage, step: walk.plan.options.max_steps, status: 'complete' };
  walk.desk.attributes({ status: 'running', step: standing.step });
  await keepMilestones(standing);
  const warned = await heedAlarms(standing);
  if (warned !== null) return warned;
  while (standing.step < walk.plan.options.max_steps) {
    const { wish } = walk.desk;
    if (wish?.kind === 'end') return await endInOrder(standing);
    if (wish?.kind === 'pause') return await pause(standing, wish.author);
    await kind.step(standing);
    const { saved } = await keepMilestones(standing);
    const rested = await heedAlarms(standing);
    if (rested !== null) return rested;
    await beginAnewWhereLong(standing, saved);
  }
  await kind.finish?.(standing);
  return await end(walk, 'complete');
}

/** Ends a long history at a commit boundary: at a planned checkpoint, and where none comes soon, at one of its own. */
async function beginAnewWhereLong(walk: StandingWalk, saved: boolean): Promise<void> {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  const overdue = historyLength >= EVENTS_OF_ONE_HISTORY;
  if (overdue && !saved) await commitCheckpoint(walk);
  if (overdue || (saved && continueAsNewSuggested)) await carryOn(walk);
}

/**
 * Goes on in a new history, at a commit boundary, keeping the trainer unless it was told to be gone. What an
 * operator wants comes first: a new history would not know it.
 */
export async function carryOn({ key, historyStep, trainer: held, desk, shown }: StageWalk): Promise<void> {
  await condition(allHandlersFinished);
  if (desk.wish !== null) return;
  const trainer = held !== null && desk.lostQueues.has(held.queue) ? null : held;
  await continueAsNew<(input: StageInput) => Promise<StageOutcome>>({ key, historyStep, trainer, shown });
}
