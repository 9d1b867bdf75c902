/** The stage and step of a checkpoint, and the state of that stage. */

import type { ShowDocument } from '../../contracts/documents.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { Queryable } from '../../stores/database/database.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { listStages } from '../../stores/runs/stages.ts';
import { InputError } from '../errors.ts';

type StageDocument = Pick<ShowDocument['stages'][number], 'stage' | 'status' | 'origin' | 'step' | 'steps'>;

export interface CheckpointLocation {
  run: string;
  stage: string;
  /** step of the checkpoint; 0 is what the stage started from */
  step: number;
  state: StageDocument;
  /** step of the next checkpoint; null where there is none */
  nextSave: number | null;
}

interface Found {
  run: string;
  stage: string;
  step: number;
}

export async function locateCheckpoint(
  reader: Queryable,
  { run, stage, step }: Found,
): Promise<CheckpointLocation> {
  const { plan } = await getRun(reader, run);
  const state = (await listStages(reader, run)).find((found) => found.stage === stage);
  if (state === undefined) throw new InputError(`${run}: expected a stage ${stage}, found none`);
  return { run, stage, step, state, nextSave: nextSave(state, plan) };
}

/**
 * A run or stage without a step means its last trained checkpoint. Throws InputError where there is none yet: step 0
 * must be named explicitly.
 */
export async function refuseUntrained(reader: Queryable, name: string, found: Found): Promise<void> {
  if (found.step > 0 || name.startsWith('s3://') || name.endsWith('@0')) return;
  const stages = await listStages(reader, found.run);
  // The name of a run means its current stage.
  const current = name.includes('/') ? undefined : stages.find(({ status }) => status !== 'complete');
  const location = await locateCheckpoint(reader, { ...found, stage: current?.stage ?? found.stage });
  throw new InputError(`${name}: ${untrainedText(location)}`);
}

function untrainedText({ run, stage, state, nextSave: next }: CheckpointLocation): string {
  const { status, step, steps, origin } = state;
  const when =
    next === null
      ? 'No checkpoint of it will follow.'
      : `Its next checkpoint is saved at step ${next} of ${steps}.`;
  return (
    `expected a trained policy, found no checkpoint yet: ${run}/${stage} is ${status} at step ${step}. ${when} ` +
    `What it started from (${origin ?? 'base'}) is ${run}/${stage}@0.`
  );
}

/** A checkpoint is saved every `save_steps` and at the last step. */
export function nextSave(
  { stage, status, step, steps }: StageDocument,
  { stages }: Pick<RunPlan, 'stages'>,
): number | null {
  const every = stages.find((plan) => plan.stage === stage)?.options.save_steps;
  if (every === undefined || step >= steps || status === 'complete' || status === 'aborted') return null;
  return Math.min(steps, (Math.floor(step / every) + 1) * every);
}

/** `nano-zero-1/zero@40` */
const checkpointName = ({ run, stage, step }: Found) => `${run}/${stage}@${step}`;

/** `nano-zero-1/zero@40, step 40 of 60; zero is running, at step 47, and saves its next at step 60` */
export function locationText({ run, stage, step, state, nextSave: next }: CheckpointLocation): string {
  const { status, origin, step: reached, steps } = state;
  const what =
    step === 0
      ? `what ${stage} started from (${origin ?? 'a scalar head on its base'}), untrained by it`
      : `step ${step} of ${steps}`;
  const later =
    status === 'complete'
      ? ''
      : `; ${stage} is ${status} at step ${reached}${next === null ? '' : ` and saves its next at step ${next}`}`;
  return `${checkpointName({ run, stage, step })}, ${what}${later}`;
}
