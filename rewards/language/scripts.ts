import type { LanguageCode } from '../../contracts/rewards.ts';

/** The Unicode scripts of each language that can be a target. */
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

export const LANGUAGES = Object.keys(languageScripts) as LanguageCode[];

/** The languages written in a script. */
export const languagesIn = (script: string): LanguageCode[] =>
  LANGUAGES.filter((language) => languageScripts[language].some((own) => own === script));

/** Scripts without spaces between words, and their average number of letters per word. */
export const lettersPerWord: Record<string, number> = { Han: 2, Hiragana: 3, Katakana: 4, Thai: 5 };

/** Every script that is recognized; letters of any other are of the script "Other". */
export const SCRIPTS = [...new Set(Object.values(languageScripts).flat())];

/** Letters of a language beyond those that all languages of its script share. */
const ownLetters: Partial<Record<LanguageCode, string>> = {
  ar: 'ةىكيإأئؤ',
  bg: 'ъ',
  cs: 'áčďéěíňóřšťúůýž',
  da: 'æøåé',
  de: 'äöüß',
  en: '',
  es: 'áéíñóúü',
  fa: 'پچژگکیئ',
  fi: 'äöå',
  fr: 'àâæçéèêëîïôœùûüÿ',
  hu: 'áéíóöőúüű',
  id: '',
  it: 'àèéìíîòóùú',
  nl: 'éëïöüèê',
  no: 'æøåéòô',
  pl: 'ąćęłńóśźż',
  pt: 'áâãàçéêíóôõúü',
  ro: 'ăâîșşțţ',
  ru: 'ыэёъ',
  sv: 'åäöé',
  tr: 'çğıöşüâîû',
  uk: "іїєґ'",
};

const everyOwnLetter = new Set(Object.values(ownLetters).join(''));

/** Whether a word in lower case has a letter that the language does not use. */
export function hasForeignLetter(word: string, language: LanguageCode): boolean {
  const own = ownLetters[language];
  if (own === undefined) return false;
  return [...word].some((letter) => everyOwnLetter.has(letter) && !own.includes(letter));
}
