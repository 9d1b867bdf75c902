import type { LanguageCode } from '../contracts/rewards.ts';

/** The Unicode scripts in which each language is written; the languages are those that can be a target. */
export const languageScripts = {
  ar: ['Arabic'],
  bg: ['Cyrillic'],
  cs: ['Latin'],
  da: ['Latin'],
  de: ['Latin'],
  el: ['Greek'],
  en: ['Latin'],
  es: ['Latin'],
  fa: ['Arabic'],
  fi: ['Latin'],
  fr: ['Latin'],
  he: ['Hebrew'],
  hi: ['Devanagari'],
  hu: ['Latin'],
  id: ['Latin'],
  it: ['Latin'],
  ja: ['Han', 'Hiragana', 'Katakana'],
  ko: ['Hangul'],
  nl: ['Latin'],
  no: ['Latin'],
  pl: ['Latin'],
  pt: ['Latin'],
  ro: ['Latin'],
  ru: ['Cyrillic'],
  sv: ['Latin'],
  th: ['Thai'],
  tr: ['Latin'],
  uk: ['Cyrillic'],
  vi: ['Latin'],
  zh: ['Han'],
} as const satisfies Record<LanguageCode, readonly string[]>;

/** Scripts that write words without spaces, and how many letters make a word of them on average. */
export const lettersPerWord: Record<string, number> = { Han: 2, Hiragana: 3, Katakana: 4, Thai: 5 };

/** Every script that is told apart; letters of any other are of the script "Other". */
export const SCRIPTS = [...new Set(Object.values(languageScripts).flat())];
