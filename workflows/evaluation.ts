import { measuredRewards } from '../algorithm/evaluation/measured-rewards.ts';
import type { RecordEvaluationResult } from '../contracts/activities.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { EvaluationOptions } from '../contracts/options.ts';
import type { Reference } from '../contracts/reference.ts';
import type { SamplingCost } from '../contracts/stage-state.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { orchestrator, rewards } from './activities.ts';
import { costOf } from './rollout.ts';
import { callTrainer, type LostQueues, policyOf, speaksContract } from './trainer.ts';

interface EvaluationInput {
  key: StageKey;
  trainer: HeldTrainer;
  lost: LostQueues;
  /** the stage under whose name the figures are kept: `base` before any training */
  as: string;
  step: number;
  quick: boolean;
  checkpoint: Reference | null;
  language: EvaluationOptions['language'];
}

/** Evaluates the trainer's policy on held-out problems, shard by shard, and commits the figures as a row. */
export async function evaluate(input: EvaluationInput): Promise<RecordEvaluationResult> {
  const { key, trainer, lost, as, step, quick, checkpoint, language } = input;
  const evaluation = { key, as, step, quick };
  const what = `evaluate ${as === key.stage ? `step ${step}` : as}`;
  const done: { request: Reference; rollout: Reference; scores: Reference }[] = [];
  const spent: SamplingCost = { tokensSampled: 0, sampling: 0, scoring: 0 };
  for (let [shard, shards] = [0, 1]; shard < shards; shard++) {
    const drawn = await orchestrator.drawEvaluation.executeWithOptions({ summary: what }, [
      { ...evaluation, shard },
    ]);
    shards = drawn.shards ?? 1;
    const { request } = drawn;
    const policy = policyOf(trainer);
    const summary = shards > 1 ? `${what} · ${shard + 1} of ${shards}` : what;
    const sampled = await callTrainer(trainer, lost, 'sample', `${summary} · sample`, { request, policy });
    const scored = await rewards.scoreRollout.executeWithOptions({ summary: `${summary} · score` }, [
      { key, rollout: sampled.rollout, rewards: measuredRewards(language) },
    ]);
    const cost = costOf(sampled, scored);
    spent.tokensSampled += cost.tokensSampled;
    spent.sampling += cost.sampling;
    spent.scoring += cost.scoring;
    done.push({ request, rollout: sampled.rollout, scores: scored.scores });
  }
  // A trainer of an earlier release wrote a rollout that an index cannot list.
  const where = !speaksContract(trainer)
    ? { rollout: done[0]?.rollout, scores: done[0]?.scores }
    : { shards: done };
  return orchestrator.recordEvaluation.executeWithOptions({ summary: `${what} · figures` }, [
    { ...evaluation, ...where, checkpoint, spent },
  ]);
}
