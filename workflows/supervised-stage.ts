import type { SupervisedPlan } from '../contracts/plan.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { collectExamples } from './example-collection.ts';
import { runStage, type StageKind } from './stage-loop.ts';
import { supervisedStep } from './supervised-step.ts';

const supervised: StageKind<SupervisedPlan> = {
  algorithm: 'sft',
  prepare: collectExamples,
  withReference: () => false,
  step: supervisedStep,
  finish: null,
};

/** A stage of supervised fine-tuning: its examples are made first, then imitated. */
export function supervisedStage(input: StageInput): Promise<StageOutcome> {
  return runStage(input, supervised);
}
