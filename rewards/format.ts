import type { Reward } from './reward.ts';

const TAGS = ['<think>', '</think>', '<answer>', '</answer>'];
/** No `m` flag: with it `$` would match before a line's end and let trailing text pass. */
const WHOLE = /^<think>.*<\/think>\s*<answer>.*<\/answer>$/s;

/**
 * 1 where the **whole** text is `<think>…</think><answer>…</answer>` with each tag exactly once, else 0.
 * White space may stand between the two blocks and nowhere else outside them: nothing may come before or
 * after, not even a line break. A truncated completion has no end that could match.
 */
export const format: Reward = {
  name: 'format',
  version: 1,
  score({ completionText, truncated }) {
    const once = TAGS.every((tag) => completionText.split(tag).length === 2);
    return { score: !truncated && once && WHOLE.test(completionText) ? 1 : 0 };
  },
};
