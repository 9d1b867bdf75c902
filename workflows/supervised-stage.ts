import type { RewardModelPlan, SupervisedPlan } from '../contracts/plan.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { collectExamples } from './example-collection.ts';
import { runStage, type StageKind } from './stage.ts';
import { stepSummary } from './stage-details.ts';
import { callTrainer } from './trainer.ts';
import {
  changesNumerics,
  showStep,
  stepRecorded,
  stepTrained,
  type TrainingState,
} from './training-state.ts';

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
    [{ key, term, digestBefore: state.trainer.digest }],
  );
  state.control.phase('training');
  const result = await callTrainer(
    state.trainer,
    state.control.lostQueues,
    'trainStep',
    `step ${step} · train`,
    {
      batch: batch.batch,
      expectedStep: step - 1,
      acrossSeam: false,
    },
  );
  stepTrained(state, result);
  const seam = changesNumerics(state, result);
  const shown = { step, batch, result, seam };
  const { alarms } = await orchestrator.recordStep.executeWithOptions({ summary: stepSummary(shown) }, [
    { key, term, batch: batch.batch, result, spent: nothingSampled, startedAt, seam },
  ]);
  stepRecorded(state, result, alarms);
  showStep(state, shown);
}
