import { Failure } from '../../contracts/failures.ts';
import type { Change, GrpoOptions, SamplingOptions } from '../../contracts/options.ts';
import type { Drop, JudgedReward, NumbersInForce, Verdict } from '../../contracts/records/schemas.ts';
import { deriveSeed } from '../random/seeds.ts';
import { type Advantages, computeAdvantages, type RewardVerdicts, shuffleVerdicts } from './advantages.ts';
import { lossWeights } from './loss-weights.ts';
import { rewardsInForce } from './reward-plan.ts';
import { cutRollout, rolloutOfStep } from './rollout-plan.ts';
import { mean, sum } from './sample-statistics.ts';
import { numbersInForce, optionsInForce } from './schedules.ts';

/**
 * What one step trains on, computed from a scored rollout. Pure: the same inputs give the same batch, at every
 * attempt and in every process.
 *
 * Axes: N = sequences of the rollout (N = Q·G), B = sequences of this step's batch.
 */
export interface StepBatch {
  numbers: NumbersInForce;
  /** sequencesB: their indices in the rollout, ascending */
  sequencesB: number[];
  advantagesB: number[];
  /** every token of sequence b weighs lossWeightsB[b] */
  lossWeightsB: number[];
  drops: Drop[];
  summary: BatchSummary;
}

/** Means over the batch, of the original scores (also where a control permutes them). */
export interface BatchSummary {
  reward: number;
  /** by name; a reward with errors only is left out */
  rewards: Record<string, number>;
  accuracy: number | null;
  meanLength: number;
  /** share of the rollout's groups whose rewards are all equal */
  zeroVarianceShare: number;
  /** completions of the rollout that were dropped */
  dropped: number;
  tokens: number;
}

export interface StepBatchInput {
  runSeed: bigint;
  stage: string;
  /** the branch that sampled the rollout */
  branch: number;
  step: number;
  options: GrpoOptions;
  changes: readonly Change[];
  sampling: SamplingOptions;
  rewards: readonly JudgedReward[];
  /** lengthsN: tokens of each completion, the end token among them */
  lengthsN: ArrayLike<number>;
  /** truncatedN: 1 where the length limit cut it */
  truncatedN: ArrayLike<number>;
}

/** Throws Failure: `TooManyErrors` above `max_drop_rate`, `EmptyBatch` where nothing is left to train on. */
export function stepBatch(input: StepBatchInput): StepBatch {
  const { options, step, sampling } = input;
  const inForce = optionsInForce(step, options, input.changes);
  const numbers = numbersInForce(step, options, input.changes);
  const { firstStep } = rolloutOfStep(step, options);
  const rewards = rewardsInForce(options.rewards, firstStep);
  const advantages = computeAdvantages(givenVerdicts(input), { ...options, rewards });
  refuseTooManyErrors(advantages, options);
  const chosen = batchOf(advantages.kept, input);
  const sequencesB = chosen.map(({ sequence }) => sequence);
  const lengthsB = sequencesB.map((n) => ({
    tokens: input.lengthsN[n] ?? 0,
    truncated: input.truncatedN[n] === 1,
  }));
  return {
    numbers: { ...numbers, temperature: sampling.temperature },
    sequencesB,
    advantagesB: chosen.map(({ advantage }) => advantage),
    lossWeightsB: lossWeights(lengthsB, {
      ...inForce,
      max_completion_length: sampling.max_completion_length,
    }),
    drops: advantages.drops,
    summary: summarise(input, advantages, sequencesB),
  };
}

/** The verdicts that advantages are computed from: as scored, or permuted in the control. */
function givenVerdicts({ options, rewards, runSeed, stage, branch, step }: StepBatchInput): RewardVerdicts[] {
  if (!options.shuffle_rewards) return [...rewards];
  const { firstStep } = rolloutOfStep(step, options);
  const purpose = { runSeed, stage, branch, purpose: 'shuffle-rewards', step: firstStep, slot: 0, sample: 0 };
  return shuffleVerdicts(rewards, deriveSeed(purpose));
}

function refuseTooManyErrors({ errorShare }: Advantages, { max_drop_rate }: GrpoOptions): void {
  if (errorShare <= max_drop_rate) return;
  throw new Failure(
    'TooManyErrors',
    `expected errors for at most ${max_drop_rate} of the completions (max_drop_rate), found ${errorShare.toFixed(3)}; ` +
      'see the verdicts in the scores, fix the verifier or the data, then retry',
  );
}

/** The kept completions of this step's part of the rollout. */
function batchOf<Kept>(
  keptN: readonly Kept[],
  { runSeed, stage, branch, step, options }: StepBatchInput,
): Kept[] {
  const { firstStep, batch } = rolloutOfStep(step, options);
  if (keptN.length < options.steps_per_generation) {
    throw new Failure(
      'EmptyBatch',
      `step ${step}: expected at least ${options.steps_per_generation} completions to train on, found ${keptN.length}; ` +
        'the others were dropped: see the scores for the reasons',
    );
  }
  const seed = deriveSeed({ runSeed, stage, branch, purpose: 'cut', step: firstStep, slot: 0, sample: 0 });
  const indices = cutRollout(keptN.length, options, seed)[batch] ?? [];
  return indices.flatMap((index) => keptN[index] ?? []);
}

function summarise(input: StepBatchInput, advantages: Advantages, sequencesB: number[]): BatchSummary {
  const { options, lengthsN } = input;
  const rewards = Object.fromEntries(
    input.rewards.flatMap(({ name, verdicts }) => {
      const scored = scoresOf(verdicts, sequencesB);
      return scored.length === 0 ? [] : [[name, mean(scored)]];
    }),
  );
  const lengthsB = sequencesB.map((n) => lengthsN[n] ?? 0);
  return {
    reward: sum(options.rewards.map(({ name, weight }) => weight * (rewards[name] ?? 0))),
    rewards,
    accuracy: rewards.accuracy ?? null,
    meanLength: mean(lengthsB),
    zeroVarianceShare: advantages.zeroVarianceShare,
    dropped: advantages.drops.length,
    tokens: sum(lengthsB),
  };
}

function scoresOf(verdicts: readonly Verdict[], sequencesB: readonly number[]): number[] {
  return sequencesB.flatMap((n) => {
    const verdict = verdicts[n];
    return verdict !== undefined && 'score' in verdict && !verdict.absent ? [verdict.score] : [];
  });
}
