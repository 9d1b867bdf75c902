/**
 * How a rollout becomes steps. A rollout is cut into `steps_per_generation` batches. They are trained in order,
 * and the whole `num_iterations` times (TRL's order). The cut goes across groups: the
 * advantages are computed before it, and the paper splits its 8,192 outputs "at random into mini-batches".
 */
import type { GrpoOptions } from '../../contracts/options.ts';
import { permutation } from '../random/seeds.ts';

export type RolloutOptions = Pick<GrpoOptions, 'steps_per_generation' | 'num_iterations'>;

/** The position of a step in its rollout. */
export interface RolloutPosition {
  /** Which rollout, from 0. */
  rollout: number;
  /** The rollout's first step: its completions are sampled before it, by the policy before that step. */
  firstStep: number;
  /** The last step that the rollout is meant for; a stage may end before it. */
  lastStep: number;
  /** Which of the rollout's batches, 0 … `steps_per_generation`−1. */
  batch: number;
  /** Which time this batch is trained, 0 … `num_iterations`−1. */
  iteration: number;
}

/** The position of `step` (from 1): a function of the step and the options alone. */
export function rolloutOfStep(step: number, options: RolloutOptions): RolloutPosition {
  if (!Number.isInteger(step) || step < 1) {
    throw new RangeError(`step: expected an integer from 1, found ${step}`);
  }
  const stepsOfRollout = options.steps_per_generation * options.num_iterations;
  const rollout = Math.floor((step - 1) / stepsOfRollout);
  const offset = (step - 1) % stepsOfRollout;
  return {
    rollout,
    firstStep: rollout * stepsOfRollout + 1,
    lastStep: (rollout + 1) * stepsOfRollout,
    batch: offset % options.steps_per_generation,
    iteration: Math.floor(offset / options.steps_per_generation),
  };
}

/**
 * The groups of each shard of `groups`, in order: all of `shard_size` but the last. A plan of a release before shards
 * does not name it: all groups are one shard.
 */
export function shardSizes(
  groups: number,
  { shard_size }: Partial<Pick<GrpoOptions, 'shard_size'>>,
): number[] {
  const size = shard_size ?? groups;
  return Array.from({ length: Math.ceil(groups / size) }, (_, shard) =>
    Math.min(size, groups - shard * size),
  );
}

/**
 * The completions of each batch, as indices into the rollout's kept completions: random under `seed`, of sizes
 * that differ by at most one, with ascending indices. Throws RangeError where there are fewer completions than batches.
 */
export function cutRollout(
  completions: number,
  { steps_per_generation }: Pick<RolloutOptions, 'steps_per_generation'>,
  seed: bigint,
): number[][] {
  if (completions < steps_per_generation) {
    throw new RangeError(
      `rollout: expected at least ${steps_per_generation} completions (steps_per_generation), ` +
        `found ${completions}; lower steps_per_generation, or see which completions were dropped and why`,
    );
  }
  const order = permutation(seed, completions);
  const start = (batch: number) => Math.ceil((batch * completions) / steps_per_generation);
  return Array.from({ length: steps_per_generation }, (_, batch) =>
    order.slice(start(batch), start(batch + 1)).sort((a, b) => a - b),
  );
}
