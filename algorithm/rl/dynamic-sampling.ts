/**
 * Dynamic sampling (DAPO, arXiv 2503.14476, equation 11): a rollout keeps the prompts with
 * 0 < correct < G, and more prompts are sampled until it is full. Groups that are all right or all wrong
 * have advantages of 0 and only dilute the batch.
 */

import type { Verdict } from '../../contracts/records/schemas.ts';

/** The state of a rollout after a round of sampling. */
export interface DynamicSamplingState {
  /** Groups the rollout needs. */
  wanted: number;
  /** Groups kept so far. */
  kept: number;
  /** Groups sampled so far. */
  sampled: number;
  /** Rounds done so far, the first included. */
  rounds: number;
  /** Extra rounds allowed: `dynamic_sampling_max_rounds`. */
  maxExtraRounds: number;
}

export type DynamicSamplingOutcome =
  /** Train on the first `wanted` kept groups, in the order in which they were sampled. */
  | { kind: 'full' }
  /** Sample a group for each of the next `prompts` prompts. */
  | { kind: 'refill'; prompts: number }
  /** No round is left: train on the groups that were kept. */
  | { kind: 'short'; missing: number }
  /** No round is left and no group was kept: the stage parks. */
  | { kind: 'empty' };

/**
 * The informative groups, by index in the request: some but not all of their completions are correct
 * (accuracy 1). Completions whose verdict is an error are left out of both counts. `accuracy` has the
 * verdicts of the rollout's sequences, `numGenerations` a group.
 */
export function informativeGroups(accuracy: readonly Verdict[], numGenerations: number): number[] {
  const groups = Array.from({ length: Math.floor(accuracy.length / numGenerations) }, (_, group) => group);
  return groups.filter((group) =>
    isInformative(accuracy.slice(group * numGenerations, (group + 1) * numGenerations)),
  );
}

function isInformative(verdicts: readonly Verdict[]): boolean {
  const scores = verdicts.flatMap((verdict) => ('score' in verdict ? [verdict.score] : []));
  const correct = scores.filter((score) => score === 1).length;
  return 0 < correct && correct < scores.length;
}

/** What to do after a round. */
export function afterRound(state: DynamicSamplingState): DynamicSamplingOutcome {
  const missing = state.wanted - state.kept;
  if (missing <= 0) return { kind: 'full' };
  if (state.rounds <= state.maxExtraRounds) return { kind: 'refill', prompts: refillSize(state) };
  return state.kept === 0 ? { kind: 'empty' } : { kind: 'short', missing };
}

/** As many prompts as should fill the rest at the share kept so far, and at most a whole rollout's. */
function refillSize({ wanted, kept, sampled }: DynamicSamplingState): number {
  const missing = wanted - kept;
  return kept === 0 ? wanted : Math.min(wanted, Math.ceil((missing * sampled) / kept));
}
