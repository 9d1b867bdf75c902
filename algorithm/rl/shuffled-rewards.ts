import { permutation } from '../random/seeds.ts';
import type { RewardVerdicts } from './advantages.ts';

/**
 * The control in which nothing can be learned: the verdicts of a rollout given to its completions in an
 * order that `seed` decides. All rewards move together, so that a completion still gets the verdicts of
 * one, though of another.
 */
export function shuffleVerdicts<Reward extends RewardVerdicts>(
  verdictsKN: readonly Reward[],
  seed: bigint,
): Reward[] {
  const order = permutation(seed, verdictsKN[0]?.verdicts.length ?? 0);
  return verdictsKN.map((reward) => ({
    ...reward,
    verdicts: order.flatMap((sequence) => reward.verdicts.slice(sequence, sequence + 1)),
  }));
}
