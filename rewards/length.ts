/** Soft overlong punishment (DAPO, arXiv 2503.14476, equation 13). */
import { lengthLimits } from '../contracts/rewards.ts';
import { pureReward, type Reward } from './reward.ts';

export interface OverlongOptions {
  /** L_max: the longest completion there can be, in tokens */
  maxCompletionLength: number;
  /** L_c: the interval before it in which the punishment grows, in tokens; 0 < L_c ≤ L_max */
  overlongCache: number;
}

/**
 *              ⎧ 0                          |y| ≤ L_max − L_c
 *     R(|y|) = ⎨ ((L_max − L_c) − |y|)/L_c  L_max − L_c < |y| ≤ L_max
 *              ⎩ −1                         L_max < |y|
 *
 * of a completion of |y| tokens. Throws RangeError where the options are not as said above.
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

/** The reward: the punishment of the completion's length in tokens. */
export function lengthPunishment(options: Parameters<typeof lengthLimits>[0]): Reward {
  return pureReward('length', 1, ({ completionTokens, maxCompletionLength }) => {
    const { longest, cache } = lengthLimits(options, maxCompletionLength);
    const limits = { maxCompletionLength: longest, overlongCache: cache };
    return { score: overlongPunishment(completionTokens, limits) };
  });
}
