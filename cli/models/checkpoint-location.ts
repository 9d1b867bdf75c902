/** Which stage and step a checkpoint is of, and where that stage stands. */

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
  /** of the checkpoint; 0: what the stage started from */
  step: number;
  standing: StageDocument;
  /** the step of the next checkpoint; null where none comes */
  nextSave: number | null;
}

interface Found {
  run: string;
  stage: string;
  step: number;
}

export async function placeOfCheckpoint(
  reader: Queryable,
  { run, stage, step }: Found,
): Promise<CheckpointLocation> {
  const { plan } = await getRun(reader, run);
  const standing = (await listStages(reader, run)).find((found) => found.stage === stage);
  if (standing === undefined) throw new InputError(`${run}: expected a stage ${stage}, found none`);
  return { run, stage, step, standing, nextSave: nextSave(standing, plan) };
}

/**
 * A run or a stage named without a step means what it has trained: where nothing is saved yet, what it started from
 * must be asked for by its step. Throws InputError then.
 */
export async function refuseUntrained(reader: Queryable, name: string, found: Found): Promise<void> {
  if (found.step > 0 || name.startsWith('s3://') || name.endsWith('@0')) return;
  const stages = await listStages(reader, found.run);
  // A run's name alone is of the stage that it is in.
  const inIt = name.includes('/') ? undefined : stages.find(({ status }) => status !== 'complete');
  const place = await placeOfCheckpoint(reader, { ...found, stage: inIt?.stage ?? found.stage });
  throw new InputError(`${name}: ${untrainedText(place)}`);
}

function untrainedText({ run, stage, standing, nextSave: next }: CheckpointLocation): string {
  const { status, step, steps, origin } = standing;
  const when =
    next === null
      ? 'No checkpoint of it comes.'
      : `Its next checkpoint is saved at step ${next} of ${steps}.`;
  return (
    `expected a trained policy, found no checkpoint yet: ${run}/${stage} is ${status} at step ${step}. ${when} ` +
    `What it started from (${origin ?? 'base'}) is ${run}/${stage}@0.`
  );
}

/** Every `save_steps`, and at the last step. */
export function nextSave(
  { stage, status, step, steps }: StageDocument,
  { stages }: Pick<RunPlan, 'stages'>,
): number | null {
  const every = stages.find((plan) => plan.stage === stage)?.options.save_steps;
  if (every === undefined || step >= steps || status === 'complete' || status === 'aborted') return null;
  return Math.min(steps, (Math.floor(step / every) + 1) * every);
}

/** `nano-zero-1/zero@40` */
const placeName = ({ run, stage, step }: Found) => `${run}/${stage}@${step}`;

/** `nano-zero-1/zero@40, step 40 of 60; zero is running, at step 47, and saves next at step 60` */
export function placeText({ run, stage, step, standing, nextSave: next }: CheckpointLocation): string {
  const { status, origin, step: reached, steps } = standing;
  const what =
    step === 0
      ? `what ${stage} started from (${origin ?? 'a scalar head on its base'}), untrained by it`
      : `step ${step} of ${steps}`;
  const goesOn =
    status === 'complete'
      ? ''
      : `; ${stage} is ${status} at step ${reached}${next === null ? '' : ` and saves next at step ${next}`}`;
  return `${placeName({ run, stage, step })}, ${what}${goesOn}`;
}
