/**
 * Which prompts a walk visits, by domain. A prompt of a domain of weight w stands w times in the list that a
 * pass goes over; so weights change how often a domain comes, and the walk stays a plain cursor.
 */
import type { DomainWeights, GrpoOptions } from '../../contracts/options.ts';
import { rolloutOfStep } from './rollout-plan.ts';

/** Places of a split's prompts by their domain, each in the data set's order. */
export type OrdinalsByDomain = Readonly<Record<string, readonly number[]>>;

type Curriculum = Pick<GrpoOptions, 'curriculum' | 'steps_per_generation' | 'num_iterations'>;

/** Ordinals that one pass visits. `weights` null: every domain once but the general ones. */
export function orderedOrdinals(
  byDomain: OrdinalsByDomain,
  weights: DomainWeights | null,
  generalDomains: readonly string[],
): number[] {
  const once = Object.keys(byDomain).filter((domain) => !generalDomains.includes(domain));
  const chosen = weights ?? Object.fromEntries(once.map((domain) => [domain, 1]));
  return Object.entries(chosen).flatMap(([domain, weight]) =>
    Array.from({ length: weight }, () => byDomain[domain] ?? []).flat(),
  );
}

/** The weights in force for the rollout that begins with `firstStep`; null: the default. */
export function domainWeightsAt(firstStep: number, options: Curriculum): DomainWeights | null {
  return phaseAt(firstStep, options)?.domain_weights ?? null;
}

/** Whether other weights hold from this rollout on: its walk begins a new pass. */
export function beginsPhase(firstStep: number, options: Curriculum): boolean {
  const { rollout } = rolloutOfStep(firstStep, options);
  if (rollout === 0) return false;
  const before = firstStep - options.steps_per_generation * options.num_iterations;
  return phaseAt(before, options) !== phaseAt(firstStep, options);
}

const phaseAt = (step: number, { curriculum }: Curriculum) =>
  curriculum
    .filter(({ from_step }) => from_step <= step)
    .sort((a, b) => a.from_step - b.from_step)
    .at(-1);
