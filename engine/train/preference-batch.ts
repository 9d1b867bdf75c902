import type { UpdateOptions } from './train-batch.ts';

/** `pairwise`: of two sequences the first is the better one. `pointwise`: a sequence is good, or it is not. */
export type PreferenceObjective = 'pairwise' | 'pointwise';

/** What one optimizer step of a reward model trains on. N = sequences. */
export interface PreferenceBatch {
  /** `pairwise`: sequences 2i and 2i + 1 are the chosen and the rejected one of pair i. */
  objective: PreferenceObjective;
  sequencesN: readonly Int32Array[];
  /** `pointwise`: 1 good, 0 not; null for `pairwise`. */
  labelsN: ArrayLike<number> | null;
  /** Weight in the loss −Σ w·l of each sequence, or pair (that of its first sequence). */
  lossWeightsN: ArrayLike<number>;
  options: UpdateOptions;
}
