import type { Rates } from '../../algorithm/plan/run-size.ts';
import type { Database } from '../../stores/database/database.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { InputError } from '../errors.ts';
import { findRun } from '../run/run-rows.ts';

/** Tokens a second as a run's recorded steps measured them, and the mean length of a response in each of its stages. */
export interface Measured {
  rates: Rates;
  meanLengths: Map<string, number>;
}

/** Throws InputError where the run recorded no sampling or no training. */
export async function measuredIn(database: Database, name: string): Promise<Measured> {
  const { run } = await findRun(database, name);
  const steps = await listSteps(database, run);
  const sum = (of: (step: (typeof steps)[number]) => number) =>
    steps.reduce((total, step) => total + of(step), 0);
  const rates = {
    sampling: sum(({ tokensSampled }) => tokensSampled) / sum(({ secondsSampling }) => secondsSampling),
    training: sum(({ tokensTrained }) => tokensTrained) / sum(({ secondsTraining }) => secondsTraining),
  };
  if (rates.sampling > 0 && rates.training > 0 && Number.isFinite(rates.sampling + rates.training))
    return { rates, meanLengths: meanLengthsOf(steps) };
  throw new InputError(
    `--rates-of ${name}: expected a run with steps that sampled and trained, found ${steps.length} steps. ` +
      'Name another run, or give --tokens-per-second and --sampling-tokens-per-second.',
  );
}

function meanLengthsOf(steps: readonly { stage: string; meanLength: number }[]): Map<string, number> {
  const stages = new Set(steps.map(({ stage }) => stage));
  return new Map([...stages].map((stage) => [stage, meanOf(steps.filter((step) => step.stage === stage))]));
}

const meanOf = (steps: readonly { meanLength: number }[]) =>
  steps.reduce((sum, { meanLength }) => sum + meanLength, 0) / steps.length;
