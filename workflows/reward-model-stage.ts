import { Failure } from '../contracts/failures.ts';
import type { RewardModelPlan } from '../contracts/plan.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { rankHeldOut } from './model-scoring.ts';
import { runStage, type StageKind } from './stage.ts';
import { supervisedStep } from './supervised-stage.ts';
import type { TrainingState } from './training-state.ts';

const rewardModel: StageKind<RewardModelPlan> = {
  algorithm: 'reward-model',
  prepare: null,
  withReference: () => false,
  step: supervisedStep,
  finish: measure,
};

/** A stage that trains a reward model. It is complete only when the model ranks held-out preferences well enough. */
export function rewardModelStage(input: StageInput): Promise<StageOutcome> {
  return runStage(input, rewardModel);
}

async function measure({ key, plan, control }: TrainingState<RewardModelPlan>): Promise<void> {
  control.phase('measuring the reward model');
  // Workers of earlier releases do not send `needed`.
  const { accuracy, pairs, needed = plan.options.min_accuracy } = await rankHeldOut(key);
  if (accuracy >= needed) return;
  throw new Failure(
    'InvalidInput',
    `${key.stage}: expected at least ${needed} of ${pairs} held-out pairs ranked correctly (min_accuracy), found ` +
      `${accuracy.toFixed(3)}. To accept the model, run \`r1 set ${key.run} ${key.stage} min_accuracy=${atMost(accuracy)}\`, then ` +
      `\`r1 retry ${key.run}\`. Train it otherwise: \`r1 resume ${key.run} --from STEP\` and another learning_rate; or launch ` +
      'anew with more or cleaner preferences, or more steps',
  );
}

/** Two digits, rounded down. */
const atMost = (accuracy: number) => Math.floor(accuracy * 100) / 100;
