import type { ReinforcementPlan } from '../contracts/plan.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { reinforcementStep } from './reinforcement-step.ts';
import { runStage, type StageKind } from './stage-loop.ts';

const reinforcement: StageKind<ReinforcementPlan> = {
  algorithm: 'grpo',
  prepare: null,
  withReference: ({ options }) => options.beta > 0,
  step: reinforcementStep,
  finish: null,
};

/**
 * A stage of reinforcement learning (GRPO). It only orders: what is committed is asked of the rows, what a
 * step is worth is decided by pure code in activities, what it computes is a trainer's.
 */
export function reinforcementStage(input: StageInput): Promise<StageOutcome> {
  return runStage(input, reinforcement);
}
