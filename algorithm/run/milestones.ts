/**
 * What is due after a step, as a pure function of the step. Steps count from 1; step 0 is the
 * state before any.
 */
import type { GrpoOptions } from '../../contracts/options.ts';
import type { WeightsCheck } from '../../contracts/records/schemas.ts';

export type MilestoneOptions = Pick<GrpoOptions, 'max_steps' | 'save_steps' | 'digest_steps'> &
  Partial<Pick<GrpoOptions, 'eval_steps' | 'sync_ref_model' | 'ref_model_sync_steps'>>;

export interface Milestones {
  /** A checkpoint is committed. */
  save: boolean;
  /** `full` before the first step and after the last, `quick` every `eval_steps` between. */
  evaluate: 'full' | 'quick' | null;
  /** π_ref ← α·π_θ + (1 − α)·π_ref: every `ref_model_sync_steps`, after the step (as in TRL). */
  refreshReference: boolean;
  /** The weights' digest is logged: every `digest_steps`. */
  digest: boolean;
}

/** What is due after `step`, 0 … `max_steps`. */
export function milestonesAt(step: number, options: MilestoneOptions): Milestones {
  const save = step > 0 && (step === options.max_steps || step % options.save_steps === 0);
  return {
    save,
    evaluate: evaluationAt(step, options),
    refreshReference: refreshesReferenceAt(step, options),
    digest: step % options.digest_steps === 0,
  };
}

/**
 * What a trainer computes of the weights after `step`: a digest every `digest_steps`, else a fingerprint wherever a
 * rollout or a checkpoint starts from this step. `nextSamples`: whether the next step begins with a rollout.
 */
export function weightsCheckAt(step: number, options: MilestoneOptions, nextSamples: boolean): WeightsCheck {
  const { digest, save } = milestonesAt(step, options);
  if (digest) return 'digest';
  return save || nextSamples ? 'fingerprint' : 'none';
}

function refreshesReferenceAt(step: number, options: MilestoneOptions): boolean {
  const { sync_ref_model = false, ref_model_sync_steps: every } = options;
  return sync_ref_model && every !== undefined && step > 0 && step % every === 0;
}

function evaluationAt(step: number, { max_steps, eval_steps = 0 }: MilestoneOptions): Milestones['evaluate'] {
  if (step === 0 || step === max_steps) return 'full';
  return eval_steps > 0 && step % eval_steps === 0 ? 'quick' : null;
}
