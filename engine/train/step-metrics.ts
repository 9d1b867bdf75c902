/** Metrics of a train step, summed in float64 from the per-token outputs of its graph. */

/** Outputs of the step's graph, per sequence and completion token. */
export interface TokenOutputs {
  logprobs: Float32Array[];
  entropies: Float32Array[];
  objective: Float32Array[];
  /** Empty arrays for `sft`. */
  ratios: Float32Array[];
  kls: Float32Array[];
}

export interface StepMetrics {
  /** −Σ w·l */
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** Means over the scored tokens of the batch. */
  entropy: number;
  kl: number;
  ratioMean: number;
  ratioMax: number;
  /** Share of scored tokens whose gradient the clip removes: below with A < 0, above with A > 0. */
  clipFractionLow: number;
  clipFractionHigh: number;
  tokens: number;
}

export interface ClipRange {
  low: number;
  high: number;
}

function forEachToken(
  arrays: readonly Float32Array[],
  visit: (value: number, sequence: number, token: number) => void,
): void {
  arrays.forEach((values, sequence) => {
    values.forEach((value, token) => {
      visit(value, sequence, token);
    });
  });
}

function mean(arrays: readonly Float32Array[]): number {
  let sum = 0;
  let count = 0;
  forEachToken(arrays, (value) => {
    sum += value;
    count += 1;
  });
  return count === 0 ? 0 : sum / count;
}

/** −Σ w·l */
function lossOf(objective: readonly Float32Array[], weights: readonly Float32Array[]): number {
  let sum = 0;
  forEachToken(objective, (value, sequence, token) => {
    sum -= value * (weights[sequence]?.[token] ?? 0);
  });
  return sum;
}

function clipFractions(
  ratios: readonly Float32Array[],
  advantagesB: ArrayLike<number>,
  range: ClipRange,
): [number, number] {
  let [low, high, count] = [0, 0, 0];
  forEachToken(ratios, (ratio, sequence) => {
    const advantage = advantagesB[sequence] ?? 0;
    count += 1;
    if (advantage < 0 && ratio < range.low) low += 1;
    if (advantage > 0 && ratio > range.high) high += 1;
  });
  return count === 0 ? [0, 0] : [low / count, high / count];
}

export function stepMetrics(
  outputs: TokenOutputs,
  weights: readonly Float32Array[],
  gradNorm: number,
  clipping?: { advantagesB: ArrayLike<number>; range: ClipRange },
): StepMetrics {
  const fractions = clipping ? clipFractions(outputs.ratios, clipping.advantagesB, clipping.range) : [0, 0];
  let ratioMax = 0;
  forEachToken(outputs.ratios, (ratio) => {
    ratioMax = Math.max(ratioMax, ratio);
  });
  return {
    loss: lossOf(outputs.objective, weights),
    gradNorm,
    entropy: mean(outputs.entropies),
    kl: mean(outputs.kls),
    ratioMean: mean(outputs.ratios),
    ratioMax,
    clipFractionLow: fractions[0] ?? 0,
    clipFractionHigh: fractions[1] ?? 0,
    tokens: outputs.logprobs.reduce((sum, values) => sum + values.length, 0),
  };
}
