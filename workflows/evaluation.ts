import { measuredRewards } from '../algorithm/evaluation/measured-rewards.ts';
import type { RecordEvaluationResult } from '../contracts/activities.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { EvaluationOptions } from '../contracts/options.ts';
import type { Reference } from '../contracts/reference.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { orchestrator, rewards } from './activities.ts';
import { costOf } from './rollout.ts';
import { callTrainer, type LostQueues } from './trainer.ts';

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

/** Evaluates the trainer's policy on held-out problems and commits the figures as a row. */
export async function evaluate(input: EvaluationInput): Promise<RecordEvaluationResult> {
  const { key, trainer, lost, as, step, quick, checkpoint, language } = input;
  const what = `evaluate ${as === key.stage ? `step ${step}` : as}`;
  const asked = { key, as, step, quick };
  const { request } = await orchestrator.drawEvaluation.executeWithOptions({ summary: what }, [asked]);
  if (trainer.digest === null) throw new Error(`step ${step}: expected a digest of the weights, found none`);
  const expectedDigest = trainer.digest;
  const sampled = await callTrainer(trainer, lost, 'sample', `${what} · sample`, { request, expectedDigest });
  const scored = await rewards.scoreRollout.executeWithOptions({ summary: `${what} · score` }, [
    { key, rollout: sampled.rollout, rewards: measuredRewards(language) },
  ]);
  return orchestrator.recordEvaluation.executeWithOptions({ summary: `${what} · figures` }, [
    { ...asked, rollout: sampled.rollout, scores: scored.scores, checkpoint, spent: costOf(sampled, scored) },
  ]);
}
