import { isWellFormed } from '../algorithm/data/response-parts.ts';
import { pureReward, type Reward } from './reward.ts';

/**
 * 1 where the **whole** text is `<think>…</think><answer>…</answer>` with each tag exactly once, else 0.
 * White space may stand between the two blocks and nowhere else outside them: nothing may come before or
 * after, not even a line break. A truncated completion has no end that could match.
 */
export const format: Reward = pureReward('format', 1, ({ completionText, truncated }) => ({
  score: !truncated && isWellFormed(completionText) ? 1 : 0,
}));

export { isWellFormed };
