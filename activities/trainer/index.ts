import { CONTRACT_VERSION, type TrainingActivities, type TrainingCall } from '../../contracts/training.ts';
import { type Parsed, parseMessage } from '../../contracts/training-messages.ts';
import { acquire } from './acquire.ts';
import { beginCheckpoint, finishCheckpoint } from './checkpoint.ts';
import type { TrainerContext } from './held-policy.ts';
import { logprobs } from './logprobs.ts';
import { release } from './release.ts';
import { sample } from './sample.ts';
import { trainStep } from './train-step.ts';

/** The training contract, served by one engine. The reward worker serves `score`. */
export type TrainerActivities = Omit<TrainingActivities, 'score'>;
type Served = Exclude<TrainingCall, 'score'>;

export function createTrainingActivities(context: TrainerContext): TrainerActivities {
  /** Inputs and results of every call are checked by their schemas. */
  const served =
    <Name extends Served>(
      name: Name,
      call: (context: TrainerContext, input: Parsed<Name, 'input'>) => Promise<object>,
    ) =>
    async (message: unknown): Promise<Parsed<Name, 'result'>> => {
      const answer = await call(context, parseMessage(name, 'input', message));
      return parseMessage(name, 'result', { ...answer, version: CONTRACT_VERSION });
    };
  return {
    acquire: served('acquire', acquire),
    sample: served('sample', sample),
    logprobs: served('logprobs', logprobs),
    trainStep: served('trainStep', trainStep),
    beginCheckpoint: served('beginCheckpoint', beginCheckpoint),
    finishCheckpoint: served('finishCheckpoint', finishCheckpoint),
    release: served('release', release),
  };
}
