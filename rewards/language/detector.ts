/** How well single words fit each language, by the n-grams of a detector's database. */
import type { LanguageCode } from '../../contracts/rewards.ts';
import { hasForeignLetter, LANGUAGES } from './scripts.ts';

export interface Detector {
  /** How well a word fits each of the languages: 0 or less where nothing of it is known in one. */
  evidence(word: string, languages: readonly LanguageCode[]): readonly number[];
  /** The languages that have the word among their most common short words, such as "the" and "los". */
  functionWordOf(word: string): readonly LanguageCode[];
}

/** The detector's name of a language, where it is another: Malay stands for Indonesian. */
const nameOf = (language: LanguageCode) => (language === 'id' ? 'ms' : language);
/** Bytes between the n-grams of a word, and bytes of one. */
const [STRIDE, GRAM] = [3, 4];
/** Odds of an n-gram that make one unit of evidence. */
const UNIT = 4;
/** A letter that the language does not write counts against it like a word that it does not know. */
const FOREIGN_LETTER = 1;
/** Of a short word: the odds from which it is among the most common ones. */
const COMMON = 5;
const LONGEST_COMMON = 6;
/** Words whose scores are kept. */
const MOST_KEPT = 50_000;

let loading: Promise<Detector> | undefined;

/** Loads the database at the first call: it takes half a second, which commands without this reward save. */
export function loadDetector(): Promise<Detector> {
  loading ??= import('eld/small').then(({ eld }) => {
    const instance = eld.newInstance();
    instance.setLanguageSubset(LANGUAGES.map(nameOf));
    return detectorOf((word) => instance.detect(word).getScores());
  });
  return loading;
}

function detectorOf(scoresOf: (word: string) => Record<string, number>): Detector {
  const kept = new Map<string, Record<string, number>>();
  const oddsOf = (word: string): Record<string, number> => {
    const known = kept.get(word);
    if (known) return known;
    if (kept.size >= MOST_KEPT) kept.clear();
    const scores = Object.entries(scoresOf(word)).map(([name, score]) => [name, score / (1 - score)]);
    const odds: Record<string, number> = Object.fromEntries(scores);
    kept.set(word, odds);
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

/** How many n-grams the detector cuts a word into: longer words are more evidence. */
export function gramsOf(word: string): number {
  return 1 + Math.ceil(Math.max(0, Buffer.byteLength(word) - GRAM) / STRIDE);
}
