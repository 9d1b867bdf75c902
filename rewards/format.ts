import { isWellFormed } from '../algorithm/data/response-parts.ts';
import { pureReward, type Reward } from './reward.ts';

/**
 * 1 where the **whole** text is `<think>…</think><answer>…</answer>` with each tag exactly once, else 0. White space
 * is allowed between the two blocks, but nothing before or after them, not even a line break. A truncated
 * completion scores 0.
 */
export const format: Reward = pureReward('format', 1, ({ completionText, truncated }) => ({
  score: !truncated && isWellFormed(completionText) ? 1 : 0,
}));

export { isWellFormed };
