import type { Verdict } from '../contracts/records.ts';

/** What a reward sees of one completion. */
export interface RewardInput {
  problem: string;
  /** The ground truth. */
  answer: string;
  /** The completion as text: special tokens, the end token among them, left out. */
  completionText: string;
  /** Cut by the length limit before its end token. */
  truncated: boolean;
}

/**
 * A verifier. `score` is a pure function: the same input has the same verdict everywhere. A verdict that
 * cannot be had is an error, which drops the completion; it is never a zero. A change to any verdict is a
 * new `version`.
 */
export interface Reward {
  name: string;
  version: number;
  score(input: RewardInput): Verdict;
}
