/**
 * Language consistency: the share of words of the chain of thought that are in the target language (DeepSeek-R1,
 * section 2.3.2). A script that only one language uses decides by itself; words in a script that several languages
 * share are judged together with the words around them.
 */
import type { LanguageCode } from '../contracts/rewards.ts';
import { chainOfThought } from './chain-of-thought.ts';
import { type CountedWords, countedShare } from './language/counted-words.ts';
import { type Detector, loadDetector } from './language/detector.ts';
import { weightsOf } from './language/judged-words.ts';
import { proseWords } from './language/prose.ts';
import type { Reward } from './reward.ts';

/**
 * The share of the text's words that are in the target language, 0 … 1. Formulas, code and names do not count,
 * but sentences inside them do. 0 for an empty text; 1 for a text without words, since nothing in it is in another
 * language.
 */
export async function languageShare(text: string, target: LanguageCode): Promise<number> {
  return shareOf(text, target, await loadDetector());
}

function shareOf(text: string, target: LanguageCode, detector: Detector): number {
  if (text.trim() === '') return 0;
  const { inTarget, total } = weightsOf(proseWords(text, detector), target, detector);
  return total === 0 ? 1 : inTarget / total;
}

export interface LanguageOptions {
  target: LanguageCode;
  /** lists of words to count instead of detecting the language */
  words?: CountedWords | undefined;
}

/** The reward: the share of the chain of thought's words that are in the target language. */
export function languageReward({ target, words }: LanguageOptions): Reward {
  const counted = words ? countedShare(words) : null;
  return {
    name: 'language',
    version: 2,
    async score({ completionText }) {
      const chain = chainOfThought(completionText);
      return { score: counted ? counted(chain) : await languageShare(chain, target) };
    },
  };
}
