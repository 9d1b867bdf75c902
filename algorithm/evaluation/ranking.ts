/** How well scores separate better from worse. */

/** Held-out preferences that are read and scored at a time. */
export const ROWS_OF_SLICE = 512;

export interface Ranking {
  /** share of pairs ranked correctly; a tie counts half */
  accuracy: number;
  pairs: number;
}

/** Over pairs: chosen and rejected at the same index. */
export function rankPairs(chosen: readonly number[], rejected: readonly number[]): Ranking {
  const right = chosen.reduce((sum, score, pair) => sum + rightness(score, rejected[pair] ?? Number.NaN), 0);
  return { accuracy: right / chosen.length, pairs: chosen.length };
}

/**
 * Over every pair of a good and a bad one: the area under the ROC curve, by ranks (Mann and Whitney 1947):
 * U = Σ ranks of the good − n(n + 1)/2, and the area U / (n·m). Equal scores share their mean rank.
 */
export function rankAll(good: readonly number[], bad: readonly number[]): Ranking {
  const [n, m] = [good.length, bad.length];
  const sorted = [
    ...good.map((score) => ({ score, good: true })),
    ...bad.map((score) => ({ score, good: false })),
  ].sort((a, b) => a.score - b.score);
  let ranks = 0;
  for (let begin = 0; begin < sorted.length; ) {
    let end = begin;
    while (sorted[end]?.score === sorted[begin]?.score && end < sorted.length) end += 1;
    const meanRank = (begin + 1 + end) / 2;
    ranks += meanRank * sorted.slice(begin, end).filter((entry) => entry.good).length;
    begin = end;
  }
  return { accuracy: (ranks - (n * (n + 1)) / 2) / (n * m), pairs: n * m };
}

const rightness = (better: number, worse: number) => (better > worse ? 1 : better === worse ? 0.5 : 0);
