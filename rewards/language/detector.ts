/** How well single words fit each language, by the n-grams of a detector's database. */
import type { LanguageCode } from '../../contracts/rewards.ts';
import { hasForeignLetter, LANGUAGES } from './scripts.ts';

export interface Detector {
  /** How well a word fits each of the languages; 0 or less where a language has none of its n-grams. */
  evidence(word: string, languages: readonly LanguageCode[]): readonly number[];
  /** The languages that have the word among their most common short words, such as "the" and "los". */
  functionWordOf(word: string): readonly LanguageCode[];
}

/** The detector's code of a language: it has Malay instead of Indonesian. */
const nameOf = (language: LanguageCode) => (language === 'id' ? 'ms' : language);
/** Bytes between the starts of a word's n-grams, and bytes of one n-gram. */
const [STRIDE, GRAM] = [3, 4];
/** Odds of an n-gram that make one unit of evidence. */
const UNIT = 4;
/** Evidence against a language for a letter that it does not use: as much as an unknown n-gram. */
const FOREIGN_LETTER = 1;
/** Odds from which a short word is among the most common of a language, and the letters of the longest such word. */
const COMMON = 5;
const LONGEST_COMMON = 6;
/** Number of words with cached scores. */
const CACHED_WORDS = 50_000;

let loading: Promise<Detector> | undefined;

/** Loads the database at the first call, since it takes half a second and most commands do not need it. */
export function loadDetector(): Promise<Detector> {
  loading ??= import('eld/small').then(({ eld }) => {
    const instance = eld.newInstance();
    instance.setLanguageSubset(LANGUAGES.map(nameOf));
    return detectorOf((word) => instance.detect(word).getScores());
  });
  return loading;
}

function detectorOf(scoresOf: (word: string) => Record<string, number>): Detector {
  const cache = new Map<string, Record<string, number>>();
  const oddsOf = (word: string): Record<string, number> => {
    const known = cache.get(word);
    if (known) return known;
    if (cache.size >= CACHED_WORDS) cache.clear();
    const scores = Object.entries(scoresOf(word)).map(([name, score]) => [name, score / (1 - score)]);
    const odds: Record<string, number> = Object.fromEntries(scores);
    cache.set(word, odds);
    return odds;
  };
  return {
    evidence(word, languages) {
      const lower = word.toLowerCase();
      const odds = oddsOf(lower);
      const grams = gramsOf(lower);
      return languages.map((language) => {
        const foreign = hasForeignLetter(lower, language) ? FOREIGN_LETTER : 0;
        return ((odds[nameOf(language)] ?? 0) * grams) / UNIT - foreign;
      });
    },
    functionWordOf(word) {
      const lower = word.toLowerCase();
      if (lower.length < 2 || lower.length > LONGEST_COMMON) return [];
      const odds = oddsOf(lower);
      return LANGUAGES.filter((language) => (odds[nameOf(language)] ?? 0) >= COMMON);
    },
  };
}

/** Number of n-grams of a word: longer words are more evidence. */
export function gramsOf(word: string): number {
  return 1 + Math.ceil(Math.max(0, Buffer.byteLength(word) - GRAM) / STRIDE);
}
