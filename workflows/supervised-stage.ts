import type { RewardModelPlan, SupervisedPlan } from '../contracts/plan.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { collectExamples } from './example-collection.ts';
import { runStage, type StageKind } from './stage.ts';
import { type TrainingState, trainStep } from './training-state.ts';

const supervised: StageKind<SupervisedPlan> = {
  algorithm: 'sft',
  prepare: collectExamples,
  withReference: () => false,
  step: supervisedStep,
  finish: null,
};

/** A stage of supervised fine-tuning: collects its examples, then trains on them. */
export function supervisedStage(input: StageInput): Promise<StageOutcome> {
  return runStage(input, supervised);
}

const nothingSampled = { tokensSampled: 0, sampling: 0, scoring: 0, logprobs: 0 };

/** One optimiser step on given examples or preferences: log the batch, train on it, record the step. */
export async function supervisedStep(state: TrainingState<SupervisedPlan | RewardModelPlan>): Promise<void> {
  const startedAt = Date.now();
  const { term } = state.trainer.lease;
  const step = state.step + 1;
  const key = { ...state.branch, step };
  const batch = await orchestrator.makeSupervisedBatch.executeWithOptions(
    { summary: `step ${step} · log the batch` },
    [{ key, term, policyBefore: state.trainer.policy, digestBefore: state.trainer.digest }],
  );
  await trainStep(state, batch, { spent: nothingSampled, startedAt });
}
