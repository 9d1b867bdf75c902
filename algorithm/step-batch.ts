import { Failure } from '../contracts/failures.ts';
import type { Change, GrpoOptions } from '../contracts/options.ts';
import type {
  Drop as DropRecord,
  NumbersInForce,
  SampleRequest,
  ScoresRecord,
} from '../contracts/records.ts';
import { type Advantages, computeAdvantages } from './advantages.ts';
import { lossWeights } from './loss-weights.ts';
import { cutRollout, rolloutOfStep } from './rollout-plan.ts';
import { numbersInForce } from './schedules.ts';
import { deriveSeed } from './seeds.ts';
import { shuffleScores } from './shuffled-rewards.ts';

/**
 * What one step trains on, decided from a scored rollout. Pure: the same inputs give the same batch, on every
 * try and in every process.
 *
 * Axes: N = sequences of the rollout (N = Q·G), B = sequences of this step's batch.
 */
export interface StepBatch {
  numbers: NumbersInForce;
  /** sequencesB: their places in the rollout, ascending */
  sequencesB: number[];
  advantagesB: number[];
  /** every token of sequence b weighs lossWeightsB[b] */
  lossWeightsB: number[];
  drops: DropRecord[];
  summary: BatchSummary;
}

/** Means over the batch, of the scores as they were given (also where a control permutes them). */
export interface BatchSummary {
  reward: number;
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
  branch: number;
  step: number;
  options: GrpoOptions;
  changes: readonly Change[];
  request: SampleRequest;
  scores: ScoresRecord;
  /** lengthsN: tokens of each completion, the end token among them */
  lengthsN: ArrayLike<number>;
  /** truncatedN: 1 where the length limit cut it */
  truncatedN: ArrayLike<number>;
}

/** Throws Failure: `TooManyErrors` above `max_drop_rate`, `EmptyBatch` where nothing is left to train on. */
export function stepBatch(input: StepBatchInput): StepBatch {
  const { options, step } = input;
  const { options: inForce, learningRate } = numbersInForce(step, options, input.changes);
  const scoresQGK = scoreTable(input);
  const advantages = computeAdvantages(maybeShuffled(scoresQGK, input), inForce);
  refuseTooManyErrors(advantages, options);
  const generations = input.request.numGenerations;
  const keptN = advantages.keptN.map((a) => ({ ...a, sequence: a.prompt * generations + a.completion }));
  const chosen = batchOf(keptN, input);
  const sequencesB = chosen.map(({ sequence }) => sequence);
  const lengthsB = sequencesB.map((n) => ({
    tokens: input.lengthsN[n] ?? 0,
    truncated: input.truncatedN[n] === 1,
  }));
  return {
    numbers: numbersOf(inForce, learningRate, step, input.request.sampling.temperature),
    sequencesB,
    advantagesB: chosen.map(({ advantage }) => advantage),
    lossWeightsB: lossWeights(lengthsB, inForce),
    drops: advantages.dropped.map((drop) => dropRecord(drop, generations)),
    summary: summarise(input, scoresQGK, advantages, sequencesB),
  };
}

type ScoreTable = (number | null)[][][];

/** scoresQGK[q][g][k]: the score by reward k; null where it answered with an error. */
function scoreTable({ request, scores, options }: StepBatchInput): ScoreTable {
  const verdictsKN = options.rewards.map(({ name }) => {
    const found = scores.rewards.find((reward) => reward.name === name);
    if (found === undefined)
      throw new Failure('CorruptObject', `scores: expected the reward "${name}", found none`);
    return found.verdicts;
  });
  return request.prompts.map((_, q) =>
    Array.from({ length: request.numGenerations }, (_, g) =>
      verdictsKN.map((verdictsN) => {
        const verdict = verdictsN[q * request.numGenerations + g];
        return verdict !== undefined && 'score' in verdict ? verdict.score : null;
      }),
    ),
  );
}

function maybeShuffled(
  scoresQGK: ScoreTable,
  { options, runSeed, stage, branch, step }: StepBatchInput,
): ScoreTable {
  if (!options.shuffle_rewards) return scoresQGK;
  const { firstStep } = rolloutOfStep(step, options);
  const purpose = { runSeed, stage, branch, purpose: 'shuffle-rewards', step: firstStep, slot: 0, sample: 0 };
  return shuffleScores(scoresQGK, deriveSeed(purpose));
}

function refuseTooManyErrors({ errorShare }: Advantages, { max_drop_rate }: GrpoOptions): void {
  if (errorShare <= max_drop_rate) return;
  throw new Failure(
    'TooManyErrors',
    `expected errors for at most ${max_drop_rate} of the completions (max_drop_rate), found ${errorShare.toFixed(3)}; ` +
      'see the verdicts in the scores, mend the verifier or the data, then retry',
  );
}

/** The kept completions that this step's share of the rollout holds. */
function batchOf<Kept>(
  keptN: readonly Kept[],
  { runSeed, stage, branch, step, options }: StepBatchInput,
): Kept[] {
  const { firstStep, batch } = rolloutOfStep(step, options);
  if (keptN.length < options.steps_per_generation) {
    throw new Failure(
      'EmptyBatch',
      `step ${step}: expected at least ${options.steps_per_generation} completions to train on, found ${keptN.length}; ` +
        'the others were dropped: see the scores for why',
    );
  }
  const seed = deriveSeed({ runSeed, stage, branch, purpose: 'cut', step: firstStep, slot: 0, sample: 0 });
  const indices = cutRollout(keptN.length, options, seed)[batch] ?? [];
  return indices.flatMap((index) => keptN[index] ?? []);
}

function numbersOf(o: GrpoOptions, learningRate: number, step: number, temperature: number): NumbersInForce {
  return {
    learning_rate: learningRate,
    temperature,
    beta: o.beta,
    use_bias_correction_kl: o.use_bias_correction_kl,
    epsilon: o.epsilon,
    epsilon_high: o.epsilon_high ?? o.epsilon,
    delta: o.delta ?? null,
    loss_type: o.loss_type,
    max_grad_norm: o.max_grad_norm,
    weight_decay: o.weight_decay,
    adam_beta1: o.adam_beta1,
    adam_beta2: o.adam_beta2,
    adam_epsilon: o.adam_epsilon,
    adam_step: step,
  };
}

function dropRecord(drop: Advantages['dropped'][number], generations: number): DropRecord {
  const sequence = drop.prompt * generations + drop.completion;
  return drop.reason.kind === 'no-score'
    ? { sequence, reason: 'error', message: `no score by ${drop.reason.rewards.join(', ')}` }
    : { sequence, reason: 'group-too-small', message: `${drop.reason.scored} of its group were scored` };
}

function summarise(
  { options, request, lengthsN }: StepBatchInput,
  scoresQGK: ScoreTable,
  advantages: Advantages,
  sequencesB: number[],
): BatchSummary {
  const generations = request.numGenerations;
  const scoresBK = sequencesB.map((n) => scoresQGK[Math.floor(n / generations)]?.[n % generations] ?? []);
  const meanOf = (k: number) => average(scoresBK.map((scoresK) => scoresK[k] ?? 0));
  const rewards = Object.fromEntries(options.rewards.map(({ name }, k) => [name, meanOf(k)]));
  const lengthsB = sequencesB.map((n) => lengthsN[n] ?? 0);
  return {
    reward: options.rewards.reduce((total, { weight }, k) => total + weight * meanOf(k), 0),
    rewards,
    accuracy: rewards.accuracy ?? null,
    meanLength: average(lengthsB),
    zeroVarianceShare: advantages.zeroVarianceShare,
    dropped: advantages.dropped.length,
    tokens: lengthsB.reduce((total, length) => total + length, 0),
  };
}

const average = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((total, value) => total + value, 0) / values.length;
