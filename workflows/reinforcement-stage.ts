import { rolloutOfStep } from '../algorithm/rl/rollout-plan.ts';
import type { MakeBatchResult } from '../contracts/activities.ts';
import { Failure } from '../contracts/failures.ts';
import type { ReinforcementPlan } from '../contracts/plan.ts';
import type { CurrentRollout, UnindexedRollout } from '../contracts/stage-state.ts';
import type { StageInput, StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { type FreshRollout, rollOut } from './rollout.ts';
import { runStage, type StageKind } from './stage.ts';
import { type TrainingState, trainStep } from './training-state.ts';

const reinforcement: StageKind<ReinforcementPlan> = {
  algorithm: 'grpo',
  prepare: null,
  withReference: ({ options }) => options.beta > 0,
  step: reinforcementStep,
  finish: null,
};

/**
 * A stage of reinforcement learning by GRPO (DeepSeekMath, arXiv 2402.03300). The workflow only orders: the rows say
 * what is committed, activities decide, a trainer computes.
 */
export function reinforcementStage(input: StageInput): Promise<StageOutcome> {
  return runStage(input, reinforcement);
}

/** One optimiser step: sample a rollout where one begins, log the batch, train on it, record the step. */
async function reinforcementStep(state: TrainingState<ReinforcementPlan>): Promise<void> {
  const startedAt = Date.now();
  const step = state.step + 1;
  const { spent, rollout } = await ensureRollout(state, step);
  const batch = await logBatch(state, step, rollout);
  state.control.verifiersChanged(batch.verifierChange);
  await trainStep(state, batch, { spent, startedAt });
}

const nothingSpent: FreshRollout['spent'] = { tokensSampled: 0, sampling: 0, scoring: 0, logprobs: 0 };

/** The rollout that this step trains on, sampled where this step is the first to do so, and what that took. */
async function ensureRollout(
  state: TrainingState<ReinforcementPlan>,
  step: number,
): Promise<{ spent: FreshRollout['spent']; rollout: CurrentRollout | UnindexedRollout }> {
  const { firstStep } = rolloutOfStep(step, state.plan.options);
  if (state.rollout?.firstStep === firstStep) return { spent: nothingSpent, rollout: state.rollout };
  if (step !== firstStep) {
    throw new Failure(
      'Contradiction',
      `step ${step}: expected the rollout of step ${firstStep}, found another`,
    );
  }
  const { branch, plan, trainer, cursor, control } = state;
  const onPhase = (phase: string, detail?: string) => control.phase(phase, detail);
  const fresh = await rollOut({
    key: branch,
    plan,
    trainer,
    lost: control.lostQueues,
    step,
    cursor,
    sampled: state.sampled,
    onPhase,
  });
  state.sampled.clear();
  state.cursor = fresh.rollout.cursorAfter;
  state.shown = { ...state.shown, samples: fresh.samples };
  return fresh;
}

/** Commits the batch before it is trained (rule 2). */
async function logBatch(
  state: TrainingState<ReinforcementPlan>,
  step: number,
  rollout: CurrentRollout | UnindexedRollout,
): Promise<MakeBatchResult> {
  const { trainer, branch } = state;
  const batch = await orchestrator.makeBatch.executeWithOptions({ summary: `step ${step} · log the batch` }, [
    {
      key: { ...branch, step },
      term: trainer.lease.term,
      hand: rollout,
      policyBefore: trainer.policy,
      digestBefore: trainer.digest,
      referenceDigest: trainer.referenceDigest,
      onPolicy: step === rollout.firstStep,
    },
  ]);
  state.rollout = 'shards' in rollout ? asIndexed(rollout, batch) : rollout;
  return batch;
}

/** The rollout as the rows hold it once its first batch is logged. */
function asIndexed(
  { shards: _, groups: __, policy: ___, ...position }: UnindexedRollout,
  { batch, index }: MakeBatchResult,
): CurrentRollout {
  if (index !== undefined) return { ...position, index };
  throw new Failure('Contradiction', `${batch.uri}: expected the index of its rollout, found none`);
}
