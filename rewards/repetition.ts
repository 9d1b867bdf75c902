/** Punishes repetition by the share of n-grams that occurred before (Open-R1's repetition penalty). */
import { pureReward, type Reward } from './reward.ts';

export interface RepetitionOptions {
  /** terms in an n-gram */
  ngram_size: number;
  /** the score of a text that only repeats itself; at most 0 */
  max_penalty: number;
}

/**
 * A term is a word, a number, a symbol, or a letter of a script without spaces. Words are cut into pieces of 16
 * letters, so that `hahaha…` counts as repetition too.
 */
const TERM =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{M}\p{N}]){1,16}|\S/gu;

/** 1 − distinct n-grams ÷ n-grams; 0 where the text has fewer than two n-grams. */
export function repeatedShare(text: string, ngramSize: number): number {
  const terms = text.toLowerCase().match(TERM) ?? [];
  const count = terms.length - ngramSize + 1;
  if (count < 2) return 0;
  const distinct = new Set<string>();
  for (let start = 0; start < count; start++) distinct.add(terms.slice(start, start + ngramSize).join(' '));
  return 1 - distinct.size / count;
}

/** The reward: `max_penalty` × the share of repeated n-grams, over the whole completion. */
export function repetitionPenalty({ ngram_size, max_penalty }: RepetitionOptions): Reward {
  // + 0 makes −0 of a text without repetition a plain 0
  return pureReward('repetition', 1, ({ completionText }) => ({
    score: max_penalty * repeatedShare(completionText, ngram_size) + 0,
  }));
}
