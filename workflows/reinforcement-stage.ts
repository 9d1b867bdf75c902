import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { StageStatus } from '../contracts/stage-state.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { describeFailure, TrainerLost } from './errors.ts';
import { reinforcementStep } from './reinforcement-step.ts';
import { StageDesk } from './stage-desk.ts';
import { findPlace, keepMilestones, type StageWalk } from './stage-walk.ts';
import { releaseTrainer } from './trainer.ts';

/** Backstop for continue-as-new, where the server does not suggest it first. */
const STEPS_OF_ONE_HISTORY = 400;

/**
 * A stage of reinforcement learning (GRPO). It only orders: what is committed is asked of the rows, what a
 * step is worth is decided by pure code in activities, what it computes is a trainer's.
 */
export async function reinforcementStage(input: StageInput): Promise<StageOutcome> {
  const { stages } = await orchestrator.loadPlan({ run: input.key.run });
  const plan = stages.find(({ stage }) => stage === input.key.stage);
  if (plan === undefined) throw new TypeError(`${input.key.stage}: not a stage of run ${input.key.run}`);
  const desk = new StageDesk(input.key, plan.options.max_steps);
  const { key, historyStep, trainer } = input;
  const walk: StageWalk = { key, plan, desk, historyStep, trainer, recent: [], samples: [] };
  for (;;) {
    try {
      return await toTheEnd(walk);
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      if (isCancellation(error)) return await CancellationScope.nonCancellable(() => end(walk, 'aborted'));
      if (error instanceof TrainerLost) walk.trainer = null;
      else if ((await park(walk, describeFailure(error))) === 'abort') return await end(walk, 'aborted');
    }
  }
}

async function toTheEnd(walk: StageWalk): Promise<StageOutcome> {
  const standing = await findPlace(walk);
  walk.desk.attributes({ status: 'running', step: standing.step });
  await keepMilestones(standing);
  const began = standing.step;
  while (standing.step < walk.plan.options.max_steps) {
    await reinforcementStep(standing);
    const { saved } = await keepMilestones(standing);
    if (saved && historyIsLong(standing.step - began)) await carryOn(walk);
  }
  return await end(walk, 'complete');
}

const historyIsLong = (steps: number) =>
  workflowInfo().continueAsNewSuggested || steps >= STEPS_OF_ONE_HISTORY;

/** Goes on in a new history, at a commit boundary, keeping the trainer. */
async function carryOn({ key, historyStep, trainer }: StageWalk): Promise<never> {
  await condition(allHandlersFinished);
  return await continueAsNew<typeof reinforcementStage>({ key, historyStep, trainer });
}

/** Gives the trainer back and waits for an operator (rule 13). */
async function park(walk: StageWalk, reason: string): Promise<'retry' | 'abort'> {
  walk.desk.phase('parked', reason);
  await giveTrainerBack(walk);
  await setStatus(walk, 'parked', reason);
  walk.desk.details(
    `### Parked\n\n${reason}\n\nTake it up again with \`r1 retry\`, or end it with \`r1 abort\`.`,
  );
  return walk.desk.decisionOnParked(reason);
}

async function end(walk: StageWalk, status: StageOutcome['status']): Promise<StageOutcome> {
  walk.desk.phase(status);
  await giveTrainerBack(walk);
  await setStatus(walk, status);
  return { stage: walk.key.stage, step: walk.historyStep ?? 0, status };
}

async function giveTrainerBack(walk: StageWalk): Promise<void> {
  const held = walk.trainer;
  walk.trainer = null;
  if (held !== null) await releaseTrainer(held, walk.desk.lostQueues);
}

async function setStatus(walk: StageWalk, status: StageStatus, reason?: string): Promise<void> {
  walk.desk.attributes({ status });
  await orchestrator.setStageStatus.executeWithOptions({ summary: `stage ${status}` }, [
    { key: walk.key, status, reason },
  ]);
}
