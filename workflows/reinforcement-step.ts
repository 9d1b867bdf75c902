import { rolloutOfStep } from '../algorithm/rl/rollout-plan.ts';
import { Failure } from '../contracts/failures.ts';
import type { ReinforcementPlan } from '../contracts/plan.ts';
import { orchestrator } from './activities.ts';
import { type FreshRollout, rollOut } from './rollout.ts';
import { stepSummary } from './stage-details.ts';
import {
  changesNumerics,
  type StandingWalk as StandingWalkOf,
  stepRecorded,
  stepTaken,
  tellStep,
} from './stage-walk.ts';
import { callTrainer } from './trainer.ts';

type StandingWalk = StandingWalkOf<ReinforcementPlan>;

/** One optimiser step: roll out if a rollout begins here, log the batch, train on it, record it. */
export async function reinforcementStep(walk: StandingWalk): Promise<void> {
  const startedAt = Date.now();
  const step = walk.step + 1;
  const spent = await ensureRollout(walk, step);
  const batch = await logBatch(walk, step);
  walk.desk.judgedOtherwise(batch.verifierChange);
  walk.desk.phase('training');
  const result = await callTrainer(walk.trainer, walk.desk.lostQueues, 'trainStep', `step ${step} · train`, {
    batch: batch.batch,
    expectedStep: step - 1,
    acrossSeam: false,
  });
  stepTaken(walk, result);
  const seam = changesNumerics(walk, result);
  const story = { step, batch, result, seam };
  const { term } = walk.trainer.lease;
  const key = { ...walk.branch, step };
  const { alarms } = await orchestrator.recordStep.executeWithOptions({ summary: stepSummary(story) }, [
    { key, term, batch: batch.batch, result, spent, startedAt, seam },
  ]);
  stepRecorded(walk, result, alarms);
  tellStep(walk, story);
}

const nothingSpent: FreshRollout['spent'] = { tokensSampled: 0, sampling: 0, scoring: 0, logprobs: 0 };

/** Sees to it that the rollout which this step trains on is in hand. */
async function ensureRollout(walk: StandingWalk, step: number): Promise<FreshRollout['spent']> {
  const { firstStep } = rolloutOfStep(step, walk.plan.options);
  if (walk.hand?.firstStep === firstStep) return nothingSpent;
  if (step !== firstStep) {
    throw new Failure('Contradiction', `step ${step}: expected the rollout of step ${firstStep} in hand`);
  }
  const { branch, plan, trainer, cursor, desk } = walk;
  const onPhase = (phase: string) => desk.phase(phase);
  const fresh = await rollOut({ key: branch, plan, trainer, lost: desk.lostQueues, step, cursor, onPhase });
  walk.hand = fresh.hand;
  walk.cursor = fresh.hand.cursorAfter;
  walk.shown = { ...walk.shown, samples: fresh.samples };
  return fresh.spent;
}

/** Commits the batch before it is trained (rule 2). */
function logBatch(walk: StandingWalk, step: number) {
  const { hand, trainer, branch } = walk;
  if (hand === null)
    throw new Failure('Contradiction', `step ${step}: expected a rollout in hand, found none`);
  return orchestrator.makeBatch.executeWithOptions({ summary: `step ${step} · log the batch` }, [
    {
      key: { ...branch, step },
      term: trainer.lease.term,
      hand,
      digestBefore: trainer.digest,
      referenceDigest: trainer.referenceDigest,
      onPolicy: step === hand.firstStep,
    },
  ]);
}
