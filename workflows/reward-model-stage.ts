import type { RewardModelPlan } from '../contracts/activities.ts';
import { Failure } from '../contracts/failures.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { rewards } from './activities.ts';
import { runStage, type StageKind } from './stage-loop.ts';
import type { StandingWalk } from './stage-walk.ts';
import { supervisedStep } from './supervised-step.ts';

const rewardModel: StageKind<RewardModelPlan> = {
  algorithm: 'reward-model',
  prepare: null,
  withReference: () => false,
  step: supervisedStep,
  finish: measure,
};

/** A stage that trains a reward model; it is complete only when the model ranks held-out preferences well enough. */
export function rewardModelStage(input: StageInput): Promise<StageOutcome> {
  return runStage(input, rewardModel);
}

async function measure({ key, plan, desk }: StandingWalk<RewardModelPlan>): Promise<void> {
  desk.phase('measuring the reward model');
  const { accuracy, pairs } = await rewards.measureRewardModel.executeWithOptions(
    { summary: 'rank held-out preferences' },
    [{ key }],
  );
  if (accuracy >= plan.options.min_accuracy) return;
  throw new Failure(
    'InvalidInput',
    `reward model ${key.stage}: expected at least ${plan.options.min_accuracy} of ${pairs} held-out pairs ranked rightly ` +
      `(min_accuracy), found ${accuracy.toFixed(3)}; train on more or cleaner preferences, or for more steps`,
  );
}
