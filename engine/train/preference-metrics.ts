/** What a step on preferences says about itself, in float64 from the scores before the update. */
import type { PreferenceBatch } from './preference-batch.ts';

interface Item {
  /** positive where the model is right */
  margin: number;
  weight: number;
}

/** L = −Σ w·log σ(margin), and the share of items on the right side. */
export function preferenceMetrics(
  batch: Pick<PreferenceBatch, 'objective' | 'labelsN' | 'lossWeightsN'>,
  scoresN: ArrayLike<number>,
): { loss: number; accuracy: number } {
  const items = ITEMS[batch.objective](batch, scoresN);
  return {
    loss: items.reduce((sum, { margin, weight }) => sum + weight * softplus(-margin), 0),
    accuracy: items.filter(({ margin }) => margin > 0).length / items.length,
  };
}

type ItemsOf = (
  batch: Pick<PreferenceBatch, 'labelsN' | 'lossWeightsN'>,
  scoresN: ArrayLike<number>,
) => Item[];

const ITEMS: Record<PreferenceBatch['objective'], ItemsOf> = {
  // r_chosen − r_rejected
  pairwise: ({ lossWeightsN }, scoresN) =>
    Array.from({ length: scoresN.length / 2 }, (_, pair) => ({
      margin: (scoresN[2 * pair] ?? 0) - (scoresN[2 * pair + 1] ?? 0),
      weight: lossWeightsN[2 * pair] ?? 0,
    })),
  // BCE(σ(r), y) = −log σ(r) where y = 1, −log σ(−r) where y = 0
  pointwise: ({ labelsN, lossWeightsN }, scoresN) =>
    Array.from(scoresN, (score, n) => ({
      margin: labelsN?.[n] === 1 ? score : -score,
      weight: lossWeightsN[n] ?? 0,
    })),
};

/** log(1 + eˣ) = −log σ(−x), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
