/**
 * The policy-gradient loss and its gradient with respect to each log-probability, in float64, written from the formula
 * in `contracts/README.md`.
 */
import type { NumbersInForce } from '../../../contracts/records/schemas.ts';

export type LossNumbers = Pick<
  NumbersInForce,
  'epsilon' | 'epsilon_high' | 'delta' | 'beta' | 'use_bias_correction_kl'
>;

/** Axes: N sequences, T tokens of all sequences, one after the other. */
export interface LossInput {
  numbers: LossNumbers;
  lengthsN: readonly number[];
  advantagesN: readonly number[];
  lossWeightsN: readonly number[];
  tokenWeightsT: readonly number[] | null;
  logprobsT: readonly number[];
  /** null: those of the pass itself */
  oldT: readonly number[] | null;
  /** null: no reference; beta is 0 */
  referenceT: readonly number[] | null;
}

export interface Loss {
  loss: number;
  gradientT: number[];
}

const at = (values: readonly number[], index: number) => values[index] ?? Number.NaN;

export function policyLoss(input: LossInput): Loss {
  const { logprobsT } = input;
  const gradientT = logprobsT.map(() => 0);
  let loss = 0;
  let t = 0;
  input.lengthsN.forEach((length, n) => {
    for (const end = t + length; t < end; t++) {
      const weight = at(input.lossWeightsN, n) * (input.tokenWeightsT ? at(input.tokenWeightsT, t) : 1);
      const token = {
        logprob: at(logprobsT, t),
        old: at(input.oldT ?? logprobsT, t),
        reference: at(input.referenceT ?? logprobsT, t),
        advantage: at(input.advantagesN, n),
      };
      const { value, slope } = tokenObjective(token, input.numbers);
      loss -= weight * value;
      gradientT[t] = -weight * slope;
    }
  });
  return { loss, gradientT };
}

interface Token {
  logprob: number;
  old: number;
  reference: number;
  advantage: number;
}

/** l and dl/d(log π) of one token. */
function tokenObjective(
  { logprob, old, reference, advantage: A }: Token,
  { epsilon, epsilon_high, delta, beta, use_bias_correction_kl }: LossNumbers,
): { value: number; slope: number } {
  const ratio = Math.exp(logprob - old);
  const bound = delta ?? Number.POSITIVE_INFINITY;
  const [low, high] = [1 - epsilon, 1 + epsilon_high];
  const free = Math.min(ratio, bound) * A;
  const clipped = Math.min(Math.max(ratio, low), high) * A;
  // dρ/d(log π) = ρ, and 0 where a bound is in force
  const freeSlope = ratio < bound ? ratio * A : 0;
  const clippedSlope = ratio > low && ratio < high ? ratio * A : 0;
  const d = reference - logprob;
  const k3 = Math.exp(d) - d - 1;
  const k3Slope = 1 - Math.exp(d);
  const penalty = use_bias_correction_kl ? k3 * ratio : k3;
  const penaltySlope = use_bias_correction_kl ? (k3Slope + k3) * ratio : k3Slope;
  return {
    value: Math.min(free, clipped) - beta * penalty,
    slope: (free <= clipped ? freeSlope : clippedSlope) - beta * penaltySlope,
  };
}
