/**
 * The words that open the steps of a worked sum, in two languages: `home` is English, `foreign` is Spanish.
 * Each word with its spaces is one token of the nano tokenizer.
 */

export const NANO_LANGUAGES = ['home', 'foreign'] as const;
export type NanoLanguage = (typeof NANO_LANGUAGES)[number];

/** first: the first step; next: every other; check: a repeated step; wait: the two results differ. */
export type StepWord = 'first' | 'next' | 'check' | 'wait';

export const stepWords: Record<NanoLanguage, Record<StepWord, string>> = {
  home: { first: 'first ', next: ' then ', check: ' check ', wait: ' wait ' },
  foreign: { first: 'primero ', next: ' luego ', check: ' reviso ', wait: ' espera ' },
};

const wordsOf = (language: NanoLanguage) => Object.values(stepWords[language]).map((word) => word.trim());
const patterns: Record<NanoLanguage, RegExp> = {
  home: new RegExp(`\\b(?:${wordsOf('home').join('|')})\\b`, 'g'),
  foreign: new RegExp(`\\b(?:${wordsOf('foreign').join('|')})\\b`, 'g'),
};

/** Home step words ÷ step words of both languages, 0 … 1; null where a text has none. */
export function homeShare(text: string): number | null {
  const count = (language: NanoLanguage) => text.match(patterns[language])?.length ?? 0;
  const home = count('home');
  const all = home + count('foreign');
  return all === 0 ? null : home / all;
}

/** The text with every foreign step word replaced by the home one. */
export function inHomeWords(text: string): string {
  const words = Object.keys(stepWords.home) as StepWord[];
  return words.reduce(
    (result, word) => result.replaceAll(stepWords.foreign[word], stepWords.home[word]),
    text,
  );
}
