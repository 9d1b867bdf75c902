/**
 * Language consistency: the share of words in the target language over the chain of thought (DeepSeek-R1,
 * section 2.3.2). A word is told by its script; words whose script several languages share are told by the
 * language of the sentence around them.
 */
import { detectAll } from 'tinyld';
import type { LanguageCode } from '../contracts/rewards.ts';
import { chainOfThought } from './chain-of-thought.ts';
import { type CountedWords, countedShare } from './counted-words.ts';
import { languageScripts } from './language-scripts.ts';
import { proseOf, type ScriptWord, sentencesOf } from './prose.ts';
import { pureReward, type Reward } from './reward.ts';

/** Languages that the detector chooses among: those with a table of scripts. */
const LANGUAGES = Object.keys(languageScripts);
/** The target is granted where it is at least this likely, next to the likeliest. */
const BENEFIT_OF_DOUBT = 0.5;

/**
 * The share of the text's words that are in the target language, 0 … 1, formulas and code left out. 0 of an
 * empty text; 1 of a text without words, since nothing in it is in another language.
 */
export function languageShare(text: string, target: LanguageCode): number {
  if (text.trim() === '') return 0;
  let total = 0;
  let inTarget = 0;
  const spoken = new Map<string, boolean>();
  for (const sentence of sentencesOf(proseOf(text))) {
    for (const { weight } of sentence) total += weight;
    inTarget += weightInTarget(sentence, target, spoken);
  }
  return total === 0 ? 1 : inTarget / total;
}

/**
 * Of one sentence: the words in the target's scripts, if the sentence they make is in the target language.
 * `spoken` keeps the verdicts, so that a text that repeats itself is judged once.
 */
function weightInTarget(
  sentence: readonly ScriptWord[],
  target: LanguageCode,
  spoken: Map<string, boolean>,
): number {
  const scripts: readonly string[] = languageScripts[target];
  const words = sentence.filter(({ script }) => scripts.includes(script));
  const weight = words.reduce((sum, word) => sum + word.weight, 0);
  if (weight === 0) return 0;
  const text = words.map((word) => word.text).join(' ');
  const verdict = spoken.get(text) ?? speaks(text, target);
  spoken.set(text, verdict);
  return verdict ? weight : 0;
}

/** Whether the text may be in the language; what the detector makes nothing of may be in any. */
function speaks(text: string, target: LanguageCode): boolean {
  const found = detectAll(text, { only: LANGUAGES });
  const best = found[0]?.accuracy ?? 0;
  const own = found.find(({ lang }) => lang === target)?.accuracy ?? 0;
  return best === 0 || own >= BENEFIT_OF_DOUBT * best;
}

export interface LanguageOptions {
  target: LanguageCode;
  /** counted in place of detection */
  words?: CountedWords | undefined;
}

/** The reward: the share of the chain of thought that is in the target language. */
export function languageReward({ target, words }: LanguageOptions): Reward {
  const shareOf = words ? countedShare(words) : (text: string) => languageShare(text, target);
  return pureReward('language', 1, ({ completionText }) => ({
    score: shareOf(chainOfThought(completionText)),
  }));
}
