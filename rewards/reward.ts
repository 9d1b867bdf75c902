import type { Verdict } from '../contracts/records.ts';
import type { RewardName } from '../contracts/rewards.ts';

/** What a reward sees of one completion. */
export interface RewardInput {
  problem: string;
  /** The ground truth. */
  answer: string;
  /** Of the prompt: says how `accuracy` judges. */
  domain: string;
  /** The rest of the prompt's row: tests, options, metadata; null where it has none. */
  entry: unknown;
  /** The completion as text: special tokens, the end token among them, left out. */
  completionText: string;
  /** Of the completion. */
  completionTokens: number;
  /** The longest completion that was sampled for, in tokens. */
  maxCompletionLength: number;
  /** Cut by the length limit before its end token. */
  truncated: boolean;
}

/**
 * A verifier. The same input has the same verdict everywhere: a verdict that its inputs alone deny is an
 * error, which drops the completion and is never a zero. What time or the machine denies throws a `Failure`,
 * so that it is asked again. A change to any verdict is a new `version`. Many inputs may be under way at once.
 */
export interface Reward {
  name: RewardName;
  version: number;
  score(input: RewardInput): Promise<Verdict>;
}

/** A reward that needs nothing but its input. */
export function pureReward(
  name: RewardName,
  version: number,
  score: (input: RewardInput) => Verdict,
): Reward {
  return { name, version, score: async (input) => score(input) };
}
