import { workflowInfo } from '@temporalio/workflow';
import { measuredRewards } from '../algorithm/evaluation/measured-rewards.ts';
import type { SamplePart } from '../contracts/activities.ts';
import type { BranchKey } from '../contracts/identity.ts';
import type { SupervisedPlan } from '../contracts/plan.ts';
import type { CommittedCheckpoint } from '../contracts/stage-state.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { orchestrator, rewards } from './activities.ts';
import { costOf } from './rollout.ts';
import { continueStage } from './stage.ts';
import { WAITING } from './stage-control.ts';
import { acquireTrainer, callTrainer, policyOf, releaseTrainer } from './trainer.ts';
import type { StageState } from './training-state.ts';

/**
 * Collects the examples that a supervised stage trains on: samples of earlier stages' policies, scored and selected
 * part by part, joined with those imported at launch. Committed parts are not sampled again.
 */
export async function collectExamples(state: StageState<SupervisedPlan>, key: BranchKey): Promise<void> {
  state.control.phase('reading committed examples');
  const position = await orchestrator.openExamples({ key });
  if (position.made !== null) return;
  let sampler: Sampler | null = null;
  for (const part of position.missing) {
    sampler = await samplerOf(state, key, part, position.policies, sampler);
    state.control.phase('sampling examples', `part ${part.part + 1} of ${position.parts}`);
    await collectPart(state, key, part, sampler);
    if (workflowInfo().continueAsNewSuggested) {
      await releaseSampler(state, sampler);
      sampler = null;
      await continueStage(state);
    }
  }
  await releaseSampler(state, sampler);
  state.control.phase('making the data set');
  await orchestrator.buildExamples.executeWithOptions({ summary: `${key.stage} · data set` }, [{ key }]);
}

/** The trainer that has loaded a source's policy. */
interface Sampler {
  source: number;
  trainer: HeldTrainer;
  from: { stage: string; checkpoint: CommittedCheckpoint };
}

async function samplerOf(
  state: StageState<SupervisedPlan>,
  key: BranchKey,
  { source }: SamplePart,
  policies: readonly CommittedCheckpoint[],
  held: Sampler | null,
): Promise<Sampler> {
  if (held?.source === source) return held;
  await releaseSampler(state, held);
  const policy = policies[source];
  const stage = state.plan.data.sampled[source]?.policy;
  if (policy === undefined || stage === undefined)
    throw new TypeError(`${key.stage}: expected a policy of source ${source}`);
  state.control.phase(WAITING);
  const trainer = await acquireTrainer(key, policy, false);
  // Ending the stage releases the trainer in its state.
  state.trainer = trainer;
  return { source, trainer, from: { stage, checkpoint: policy } };
}

async function releaseSampler(state: StageState, sampler: Sampler | null): Promise<void> {
  if (sampler === null) return;
  state.trainer = null;
  await releaseTrainer(sampler.trainer, state.control.lostQueues);
}

async function collectPart(
  state: StageState<SupervisedPlan>,
  key: BranchKey,
  part: SamplePart,
  { trainer, from }: Sampler,
): Promise<void> {
  const what = `examples · part ${part.part + 1}`;
  const { request } = await orchestrator.drawSamples.executeWithOptions({ summary: what }, [
    { key, ...part },
  ]);
  const input = { request, policy: policyOf(trainer) };
  const sampled = await callTrainer(trainer, state.control.lostQueues, 'sample', `${what} · sample`, input);
  const scored = await rewards.scoreRollout.executeWithOptions({ summary: `${what} · score` }, [
    {
      key: { run: key.run, stage: key.stage },
      rollout: sampled.rollout,
      rewards: measuredRewards(state.plan.evaluation.language),
    },
  ]);
  await orchestrator.selectSamples.executeWithOptions({ summary: `${what} · select` }, [
    {
      key,
      part: part.part,
      rollout: sampled.rollout,
      scores: scored.scores,
      from,
      rule: state.plan.data.keep,
      spent: costOf(sampled, scored),
    },
  ]);
}
