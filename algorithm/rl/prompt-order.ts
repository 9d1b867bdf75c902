/**
 * The order in which a stage goes through the prompts of a data set. Each epoch visits every prompt once, in an order
 * that the run's seed decides. The position is a plain value, kept in checkpoints and batches: a resumed run neither
 * repeats nor skips a prompt.
 *
 * Domains may have weights: a prompt of a domain of weight w is w times in the list of an epoch. Weights change how
 * often a domain comes, and the position stays a plain cursor.
 */
import type { DomainWeights, GrpoOptions } from '../../contracts/options.ts';
import type { Cursor } from '../../contracts/records/schemas.ts';
import { deriveSeed, permutation } from '../random/seeds.ts';
import { rolloutOfStep } from './rollout-plan.ts';

/**
 * What decides the order. It belongs to the stage and not to a branch: a stage rewound to a cursor inside an epoch
 * continues in the order of that epoch.
 */
export interface PromptOrder {
  runSeed: bigint;
  stage: string;
  /** Prompts in the data set. */
  size: number;
}

export const firstCursor: Cursor = { pass: 0, position: 0 };

/**
 * The next `n` prompts, as indices into the data set, and the cursor after them. A call that reaches the
 * end of an epoch continues into the next: a prompt can come twice in one call, but not twice in one epoch.
 * Throws RangeError for an empty data set or a cursor outside it.
 */
export function take(cursor: Cursor, n: number, order: PromptOrder): { indices: number[]; next: Cursor } {
  refuseOutside(cursor, n, order.size);
  const indices: number[] = [];
  let { pass: epoch, position } = cursor;
  while (indices.length < n) {
    if (position === order.size) [epoch, position] = [epoch + 1, 0];
    const chunk = latestOrder(order, epoch).slice(position, position + n - indices.length);
    indices.push(...chunk);
    position += chunk.length;
  }
  return { indices, next: { pass: epoch, position } };
}

let latest: { name: string; order: readonly number[] } | null = null;

/** `epochOrder`, of which the latest result is kept: all draws of an epoch need the same one, of every prompt. */
function latestOrder(order: PromptOrder, epoch: number): readonly number[] {
  const { runSeed, stage, size } = order;
  const name = JSON.stringify([runSeed.toString(), stage, size, epoch]);
  if (latest?.name !== name) latest = { name, order: epochOrder(order, epoch) };
  return latest.order;
}

/** The order of one epoch: permutation(deriveSeed(stage, branch 0, "prompts", step = epoch, 0, 0), size). */
export function epochOrder({ runSeed, stage, size }: PromptOrder, epoch: number): number[] {
  const seed = deriveSeed({ runSeed, stage, branch: 0, purpose: 'prompts', step: epoch, slot: 0, sample: 0 });
  return permutation(seed, size);
}

function refuseOutside({ pass: epoch, position }: Cursor, n: number, size: number): void {
  if (size < 1) throw new RangeError('prompts: expected at least one to train on, found none');
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`prompts to take: expected a count, found ${n}`);
  if (epoch < 0 || position < 0 || position > size) {
    const found = `epoch ${epoch}, position ${position}`;
    throw new RangeError(
      `cursor: expected a position from 0 to ${size}, found ${found}; is it the same data set?`,
    );
  }
}

/** Ordinals of a split's prompts by domain, each in the data set's order. */
export type OrdinalsByDomain = Readonly<Record<string, readonly number[]>>;

type Curriculum = Pick<GrpoOptions, 'curriculum' | 'steps_per_generation' | 'num_iterations'>;

/** The ordinals of one epoch. `weights` null: every domain once, except the general ones. */
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

/** Whether other weights are in force from this rollout on: it begins a new epoch. */
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
