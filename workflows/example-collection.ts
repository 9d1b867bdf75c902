import { workflowInfo } from '@temporalio/workflow';
import { measuredRewards } from '../algorithm/evaluation/measured-rewards.ts';
import type { SamplePart } from '../contracts/activities.ts';
import type { BranchKey } from '../contracts/identity.ts';
import type { SupervisedPlan } from '../contracts/plan.ts';
import type { CommittedCheckpoint } from '../contracts/stage-state.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { orchestrator, rewards } from './activities.ts';
import { costOf } from './rollout.ts';
import { WAITING } from './stage-desk.ts';
import { carryOn } from './stage-loop.ts';
import type { StageWalk } from './stage-walk.ts';
import { acquireTrainer, callTrainer, releaseTrainer } from './trainer.ts';

/**
 * Makes the examples that a supervised stage trains on: samples of earlier stages' policies, scored and selected
 * part by part, joined with those imported at launch. What is committed is not made again.
 */
export async function collectExamples(walk: StageWalk<SupervisedPlan>, key: BranchKey): Promise<void> {
  walk.desk.phase('reading what examples there are');
  const position = await orchestrator.openExamples({ key });
  if (position.made !== null) return;
  let sampler: Sampler | null = null;
  for (const part of position.missing) {
    sampler = await samplerOf(walk, key, part, position.policies, sampler);
    walk.desk.phase('sampling examples', `part ${part.part + 1} of ${position.parts}`);
    await collectPart(walk, key, part, sampler);
    if (workflowInfo().continueAsNewSuggested) {
      await giveBack(walk, sampler);
      sampler = null;
      await carryOn(walk);
    }
  }
  await giveBack(walk, sampler);
  walk.desk.phase('making the data set');
  await orchestrator.buildExamples.executeWithOptions({ summary: `${key.stage} · data set` }, [{ key }]);
}

/** The trainer that holds a source's policy. */
interface Sampler {
  source: number;
  trainer: HeldTrainer;
  from: { stage: string; checkpoint: CommittedCheckpoint };
}

async function samplerOf(
  walk: StageWalk<SupervisedPlan>,
  key: BranchKey,
  { source }: SamplePart,
  policies: readonly CommittedCheckpoint[],
  held: Sampler | null,
): Promise<Sampler> {
  if (held?.source === source) return held;
  await giveBack(walk, held);
  const policy = policies[source];
  const stage = walk.plan.data.sampled[source]?.policy;
  if (policy === undefined || stage === undefined)
    throw new TypeError(`${key.stage}: expected a policy of source ${source}`);
  walk.desk.phase(WAITING);
  const trainer = await acquireTrainer(key, policy, false);
  // Whoever ends the stage gives back what its walk holds.
  walk.trainer = trainer;
  return { source, trainer, from: { stage, checkpoint: policy } };
}

async function giveBack(walk: StageWalk, sampler: Sampler | null): Promise<void> {
  if (sampler === null) return;
  walk.trainer = null;
  await releaseTrainer(sampler.trainer, walk.desk.lostQueues);
}

async function collectPart(
  walk: StageWalk<SupervisedPlan>,
  key: BranchKey,
  part: SamplePart,
  { trainer, from }: Sampler,
): Promise<void> {
  const what = `examples · part ${part.part + 1}`;
  const { request } = await orchestrator.drawSamples.executeWithOptions({ summary: what }, [
    { key, ...part },
  ]);
  if (trainer.digest === null) throw new TypeError(`${key.stage}: expected a policy with a digest`);
  const input = { request, expectedDigest: trainer.digest };
  const sampled = await callTrainer(trainer, walk.desk.lostQueues, 'sample', `${what} · sample`, input);
  const scored = await rewards.scoreRollout.executeWithOptions({ summary: `${what} · score` }, [
    {
      key: { run: key.run, stage: key.stage },
      rollout: sampled.rollout,
      rewards: measuredRewards(walk.plan.evaluation.language),
    },
  ]);
  await orchestrator.selectSamples.executeWithOptions({ summary: `${what} · select` }, [
    {
      key,
      part: part.part,
      rollout: sampled.rollout,
      scores: scored.scores,
      from,
      rule: walk.plan.data.keep,
      spent: costOf(sampled, scored),
    },
  ]);
}
