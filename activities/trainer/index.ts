import type { TrainingActivities } from '../../contracts/training.ts';
import { acquire } from './acquire.ts';
import { checkpoint } from './checkpoint.ts';
import type { TrainerRoom } from './held-policy.ts';
import { logprobs } from './logprobs.ts';
import { release } from './release.ts';
import { sample } from './sample.ts';
import { trainStep } from './train-step.ts';

/** The training contract, served by one engine. */
export function createTrainingActivities(room: TrainerRoom): TrainingActivities {
  return {
    acquire: (input) => acquire(room, input),
    sample: (input) => sample(room, input),
    logprobs: (input) => logprobs(room, input),
    trainStep: (input) => trainStep(room, input),
    checkpoint: (input) => checkpoint(room, input),
    release: (input) => release(room, input),
  };
}
