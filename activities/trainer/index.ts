import type { TrainingActivities } from '../../contracts/training.ts';
import { acquire } from './acquire.ts';
import { checkpoint } from './checkpoint.ts';
import type { TrainerContext } from './held-policy.ts';
import { logprobs } from './logprobs.ts';
import { release } from './release.ts';
import { sample } from './sample.ts';
import { trainStep } from './train-step.ts';

/** The training contract, served by one engine. */
export function createTrainingActivities(context: TrainerContext): TrainingActivities {
  return {
    acquire: (input) => acquire(context, input),
    sample: (input) => sample(context, input),
    logprobs: (input) => logprobs(context, input),
    trainStep: (input) => trainStep(context, input),
    checkpoint: (input) => checkpoint(context, input),
    release: (input) => release(context, input),
  };
}
