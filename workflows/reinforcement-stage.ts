import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { describeFailure, TrainerLost } from './errors.ts';
import { reinforcementStep } from './reinforcement-step.ts';
import { StageDesk } from './stage-desk.ts';
import { hearMessages } from './stage-messages.ts';
import { end, endInOrder, park, pause, type Rested } from './stage-rest.ts';
import { findPlace, keepMilestones, type StageWalk } from './stage-walk.ts';

/** Backstop for continue-as-new, where the server does not suggest it first. */
const STEPS_OF_ONE_HISTORY = 400;
/** So many trainers lost without a step between them park the stage: what takes them will take the next. */
const TRAINERS_IN_A_ROW = 5;

/**
 * A stage of reinforcement learning (GRPO). It only orders: what is committed is asked of the rows, what a
 * step is worth is decided by pure code in activities, what it computes is a trainer's.
 */
export async function reinforcementStage(input: StageInput): Promise<StageOutcome> {
  const { stages } = await orchestrator.loadPlan({ run: input.key.run });
  const plan = stages.find(({ stage }) => stage === input.key.stage);
  if (plan === undefined) throw new TypeError(`${input.key.stage}: not a stage of run ${input.key.run}`);
  const desk = new StageDesk(input.key, plan.options.max_steps);
  hearMessages(desk);
  const { key, historyStep, trainer } = input;
  const walk: StageWalk = { key, plan, desk, historyStep, trainer, lost: 0, recent: [], samples: [] };
  for (;;) {
    const rested = await walkOn(walk);
    if (rested === 'again') continue;
    await condition(allHandlersFinished);
    return rested;
  }
}

/** Walks on until the stage ends or is to be taken up again; who cancels its workflow aborts it. */
async function walkOn(walk: StageWalk): Promise<Rested> {
  try {
    return await untilItRests(walk);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => end(walk, 'aborted'));
  }
}

/** Walks as far as it goes: to the end, to a rest from which the stage goes on, or to a lost trainer. */
async function untilItRests(walk: StageWalk): Promise<Rested> {
  try {
    return await toTheEnd(walk);
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

async function toTheEnd(walk: StageWalk): Promise<Rested> {
  const standing = await findPlace(walk);
  if (standing === 'complete')
    return { stage: walk.key.stage, step: walk.plan.options.max_steps, status: 'complete' };
  walk.desk.attributes({ status: 'running', step: standing.step });
  await keepMilestones(standing);
  const began = standing.step;
  while (standing.step < walk.plan.options.max_steps) {
    const { wish } = walk.desk;
    if (wish?.kind === 'end') return await endInOrder(standing);
    if (wish?.kind === 'pause') return await pause(standing, wish.author);
    await reinforcementStep(standing);
    const { saved } = await keepMilestones(standing);
    if (saved && historyIsLong(standing.step - began)) await carryOn(walk);
  }
  return await end(walk, 'complete');
}

const historyIsLong = (steps: number) =>
  workflowInfo().continueAsNewSuggested || steps >= STEPS_OF_ONE_HISTORY;

/**
 * Goes on in a new history, at a commit boundary, keeping the trainer unless it was told to be gone. What an
 * operator wants comes first: a new history would not know it.
 */
async function carryOn({ key, historyStep, trainer: held, desk }: StageWalk): Promise<void> {
  await condition(allHandlersFinished);
  if (desk.wish !== null) return;
  const trainer = held !== null && desk.lostQueues.has(held.queue) ? null : held;
  await continueAsNew<typeof reinforcementStage>({ key, historyStep, trainer });
}
