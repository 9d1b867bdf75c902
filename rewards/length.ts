/** Soft overlong punishment (DAPO, arXiv 2503.14476, equation 13). */
import { lengthLimits } from '../contracts/rewards.ts';
import { pureReward, type Reward } from './reward.ts';

export interface OverlongOptions {
  /** L_max: the maximum completion length, in tokens */
  maxCompletionLength: number;
  /** L_c: length of the interval before L_max in which the punishment grows, in tokens; 0 < L_c ≤ L_max */
  overlongCache: number;
}

/**
 *              ⎧ 0                          |y| ≤ L_max − L_c
 *     R(|y|) = ⎨ ((L_max − L_c) − |y|)/L_c  L_max − L_c < |y| ≤ L_max
 *              ⎩ −1                         L_max < |y|
 *
 * where |y| is the completion's length in tokens. Throws RangeError unless 0 < L_c ≤ L_max.
 */
export function overlongPunishment(
  completionLength: number,
  { maxCompletionLength, overlongCache }: OverlongOptions,
): number {
  if (!(overlongCache > 0 && overlongCache <= maxCompletionLength)) {
    throw new RangeError(
      `overlongCache: expected a number above 0 and up to ${maxCompletionLength}, found ${overlongCache}`,
    );
  }
  const free = maxCompletionLength - overlongCache;
  if (completionLength <= free) return 0;
  return Math.max(-1, (free - completionLength) / overlongCache);
}

/** The reward: the overlong punishment of the completion. */
export function lengthPunishment(options: Parameters<typeof lengthLimits>[0]): Reward {
  return pureReward('length', 1, ({ completionTokens, maxCompletionLength }) => {
    const { longest, cache } = lengthLimits(options, maxCompletionLength);
    const limits = { maxCompletionLength: longest, overlongCache: cache };
    return { score: overlongPunishment(completionTokens, limits) };
  });
}
