/**
 * Group-relative advantages (DeepSeekMath, arXiv 2402.03300, section 4.1.1):
 *
 *     A_i = (r_i − mean(r)) / (std(r) + 1e-4)      over the completions of one prompt
 *
 * with the sample deviation and TRL's 1e-4. A completion with an error of a reward is dropped, and so is the
 * only one left of a group: an error is neither a zero nor a smaller sum. (TRL sums the scores that exist.)
 *
 * Axes: K = rewards, N = sequences of the rollout, Q = groups kept, G = completions kept of one group.
 */
import type { GrpoOptions } from '../../contracts/options.ts';
import type { Drop, Verdict } from '../../contracts/records/schemas.ts';
import { permutation } from '../random/seeds.ts';
import { mean, sampleDeviation, sum } from './sample-statistics.ts';

const DEVIATION_OFFSET = 1e-4;

export type AdvantageOptions = Pick<
  GrpoOptions,
  'rewards' | 'num_generations' | 'scale_rewards' | 'multi_objective_aggregation'
>;

/** One reward's verdicts on a whole rollout; sequence n belongs to group ⌊n / num_generations⌋. */
export interface RewardVerdicts {
  name: string;
  /** [N] */
  verdicts: readonly Verdict[];
}

/** A completion that is trained on. */
interface Advantage {
  /** Its index in the rollout. */
  sequence: number;
  /** Σ weight · score, before any normalising. */
  reward: number;
  advantage: number;
}

export interface Advantages {
  /** Ordered by sequence. */
  kept: Advantage[];
  /** Ordered by sequence. */
  drops: Drop[];
  /** Completions with an error ÷ all completions; compared with `max_drop_rate`. */
  errorShare: number;
  /** Share of the kept groups whose rewards are all equal: their advantages are 0. */
  zeroVarianceShare: number;
}

/** A completion with all its scores: `scoresK[k]` by the k-th reward whose weight is not 0. */
interface Scored {
  sequence: number;
  scoresK: number[];
}

/** A reward of the sum. A reward of weight 0 is only recorded, and its errors drop nothing. */
interface Weighed extends RewardVerdicts {
  weight: number;
}

/**
 * Advantages of a rollout. Throws RangeError where a reward of the options has no verdicts, or where the
 * verdicts are not `num_generations` for each group.
 */
export function computeAdvantages(
  verdictsKN: readonly RewardVerdicts[],
  options: AdvantageOptions,
): Advantages {
  const weighedK = weighedRewards(verdictsKN, options);
  const sequences = sequenceCount(weighedK, options.num_generations);
  const groups = chunk(sequences, options.num_generations).map((group) => splitGroup(group, weighedK));
  const scoredQG = groups.map(({ scored }) => scored).filter((scored) => scored.length > 0);
  const drops = groups.flatMap((group) => group.drops);
  const weights = weighedK.map(({ weight }) => weight);
  const rewardsQG = scoredQG.map((group) => group.map(({ scoresK }) => weightedSum(scoresK, weights)));
  const advantagesQG = aggregations[options.multi_objective_aggregation]({
    scoredQG,
    rewardsQG,
    weights,
    scale: options.scale_rewards,
  });
  return {
    kept: scoredQG.flatMap((group, q) =>
      group.map(({ sequence }, g) => ({
        sequence,
        reward: rewardsQG[q]?.[g] ?? 0,
        advantage: advantagesQG[q]?.[g] ?? 0,
      })),
    ),
    drops,
    errorShare: share(drops.filter(({ reason }) => reason === 'error').length, sequences),
    zeroVarianceShare: share(rewardsQG.filter(allEqual).length, rewardsQG.length),
  };
}

function weighedRewards(verdictsKN: readonly RewardVerdicts[], { rewards }: AdvantageOptions): Weighed[] {
  return rewards
    .filter(({ weight }) => weight !== 0)
    .map(({ name, weight }) => {
      const found = verdictsKN.find((reward) => reward.name === name);
      if (found) return { ...found, weight };
      const names = verdictsKN.map((reward) => reward.name).join(', ') || 'none';
      throw new RangeError(`rewards: expected verdicts of ${JSON.stringify(name)}, found those of: ${names}`);
    });
}

function sequenceCount(weighedK: readonly Weighed[], numGenerations: number): number {
  const counts = new Set(weighedK.map(({ verdicts }) => verdicts.length));
  const [count = 0] = counts;
  if (counts.size === 1 && count % numGenerations === 0) return count;
  const found = weighedK.map(({ name, verdicts }) => `${name} ${verdicts.length}`).join(', ') || 'none';
  throw new RangeError(
    `verdicts: expected ${numGenerations} for each group, from every reward; found ${found}`,
  );
}

function chunk(count: number, size: number): number[][] {
  return Array.from({ length: count / size }, (_, q) => Array.from({ length: size }, (_, g) => q * size + g));
}

/** The group's completions that have all scores, or none where fewer than two are left. */
function splitGroup(sequencesG: number[], weighedK: readonly Weighed[]): { scored: Scored[]; drops: Drop[] } {
  const scored: Scored[] = [];
  const drops: Drop[] = [];
  for (const sequence of sequencesG) {
    const errors = weighedK.flatMap(({ name, verdicts }) => errorText(name, verdicts[sequence]));
    const scoresK = weighedK.flatMap(({ verdicts }) => scoreOf(verdicts[sequence]));
    if (errors.length === 0) scored.push({ sequence, scoresK });
    else drops.push({ sequence, reason: 'error', message: errors.join('; ') });
  }
  if (scored.length >= 2) return { scored, drops };
  const message = 'no other completion of its prompt has a score to compare with';
  const alone = scored.map(({ sequence }) => ({ sequence, reason: 'group-too-small' as const, message }));
  return { scored: [], drops: [...drops, ...alone].sort((a, b) => a.sequence - b.sequence) };
}

function errorText(reward: string, verdict: Verdict | undefined): string[] {
  return verdict && 'error' in verdict ? [`${reward}: ${verdict.error.kind}: ${verdict.error.message}`] : [];
}

function scoreOf(verdict: Verdict | undefined): number[] {
  return verdict && 'score' in verdict ? [verdict.score] : [];
}

interface Aggregation {
  scoredQG: Scored[][];
  rewardsQG: number[][];
  /** [K] */
  weights: number[];
  scale: GrpoOptions['scale_rewards'];
}

const aggregations: Record<
  GrpoOptions['multi_objective_aggregation'],
  (aggregation: Aggregation) => number[][]
> = {
  // A = (Σ_k w_k r_k − mean) / (std + 1e-4), with the deviation of the group, of the batch, or undivided
  sum_then_normalize: ({ rewardsQG, scale }) => {
    const batchDeviation = sampleDeviation(rewardsQG.flat());
    return rewardsQG.map((rewardsG) => {
      const centre = mean(rewardsG);
      const divisor = divisors[scale](rewardsG, batchDeviation);
      return rewardsG.map((reward) => (reward - centre) / divisor);
    });
  },
  // GDPO (arXiv 2601.05242), as in TRL: each reward is normalised over its group, then their weighted sum
  // over the batch; `scale_rewards` is not used
  normalize_then_sum: ({ scoredQG, weights }) => {
    const sumsQG = scoredQG.map((group) => {
      const normalizedKG = weights.map((_, k) => normalize(group.map(({ scoresK }) => scoresK[k] ?? 0)));
      return group.map((_, g) =>
        weightedSum(
          normalizedKG.map((normalizedG) => normalizedG[g] ?? 0),
          weights,
        ),
      );
    });
    return likeGroups(normalize(sumsQG.flat()), sumsQG);
  },
};

const divisors: Record<
  GrpoOptions['scale_rewards'],
  (rewardsG: readonly number[], batchDeviation: number) => number
> = {
  group: (rewardsG) => sampleDeviation(rewardsG) + DEVIATION_OFFSET,
  batch: (_, batchDeviation) => batchDeviation + DEVIATION_OFFSET,
  none: () => 1,
};

function normalize(values: readonly number[]): number[] {
  const centre = mean(values);
  const divisor = sampleDeviation(values) + DEVIATION_OFFSET;
  return values.map((value) => (value - centre) / divisor);
}

/** Cuts a flat list into groups of the given groups' sizes. */
function likeGroups(values: readonly number[], groups: readonly (readonly number[])[]): number[][] {
  let next = 0;
  return groups.map((group) => {
    next += group.length;
    return values.slice(next - group.length, next);
  });
}

function weightedSum(valuesK: readonly number[], weights: readonly number[]): number {
  return sum(weights.map((weight, k) => weight * (valuesK[k] ?? 0)));
}

function allEqual(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/**
 * A control experiment in which nothing can be learned: the verdicts of a rollout, permuted over its completions by
 * `seed`. All rewards are permuted alike: a completion gets all verdicts of one other completion.
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
