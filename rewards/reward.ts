import type { Verdict } from '../contracts/records/schemas.ts';
import type { RewardName } from '../contracts/rewards.ts';

/** The input of a reward: one completion and its prompt. */
export interface RewardInput {
  problem: string;
  /** The ground truth. */
  answer: string;
  /** The prompt's domain, which selects the rule of `accuracy`. */
  domain: string;
  /** The rest of the prompt's row: tests, options, metadata; null where it has none. */
  entry: unknown;
  /** The completion as text, without special tokens such as the end token. */
  completionText: string;
  /** The completion's length in tokens. */
  completionTokens: number;
  /** The length limit of sampling, in tokens. */
  maxCompletionLength: number;
  /** Whether the length limit cut it before an end token. */
  truncated: boolean;
}

/**
 * Scores completions. The same input has the same verdict on every machine. Where the input itself makes a verdict
 * impossible, the verdict is an error, which drops the completion and never counts as zero. Where time or the
 * machine prevents a verdict, `score` throws a `Failure`, so that the activity is retried. A change of any verdict
 * needs a new `version`. Inputs may be scored concurrently.
 */
export interface Reward {
  name: RewardName;
  version: number;
  score(input: RewardInput): Promise<Verdict>;
}

/** A reward that is a pure function of its input. */
export function pureReward(
  name: RewardName,
  version: number,
  score: (input: RewardInput) => Verdict,
): Reward {
  return { name, version, score: async (input) => score(input) };
}
