import type { RewardModelPlan, SupervisedPlan } from '../contracts/plan.ts';
import { orchestrator } from './activities.ts';
import { stepSummary } from './stage-details.ts';
import { changesNumerics, type StandingWalk, stepRecorded, stepTaken, tellStep } from './stage-walk.ts';
import { callTrainer } from './trainer.ts';

const nothingSampled = { tokensSampled: 0, sampling: 0, scoring: 0, logprobs: 0 };

/** One optimiser step towards given examples or preferences: log the batch, train on it, record it. */
export async function supervisedStep(walk: StandingWalk<SupervisedPlan | RewardModelPlan>): Promise<void> {
  const startedAt = Date.now();
  const { term } = walk.trainer.lease;
  const step = walk.step + 1;
  const key = { ...walk.branch, step };
  const batch = await orchestrator.makeSupervisedBatch.executeWithOptions(
    { summary: `step ${step} · log the batch` },
    [{ key, term, digestBefore: walk.trainer.digest }],
  );
  walk.desk.phase('training');
  const result = await callTrainer(walk.trainer, walk.desk.lostQueues, 'trainStep', `step ${step} · train`, {
    batch: batch.batch,
    expectedStep: step - 1,
    acrossSeam: false,
  });
  stepTaken(walk, result);
  const seam = changesNumerics(walk, result);
  const story = { step, batch, result, seam };
  const { alarms } = await orchestrator.recordStep.executeWithOptions({ summary: stepSummary(story) }, [
    { key, term, batch: batch.batch, result, spent: nothingSampled, startedAt, seam },
  ]);
  stepRecorded(walk, result, alarms);
  tellStep(walk, story);
}
