/**
 * Language consistency: the share of words in the target language over the chain of thought (DeepSeek-R1,
 * section 2.3.2). The script decides where it is the target's alone; words whose script several languages
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
 * The share of the text's words that are in the target language, 0 … 1; formulas, code and names do not
 * count, but sentences in them do. 0 of an empty text; 1 of a text without words, since nothing in it is in
 * another language.
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
  /** counted in place of detection */
  words?: CountedWords | undefined;
}

/** The reward: the share of the chain of thought that is in the target language. */
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
