/** Splits text into words by script. */
import { lettersPerWord, SCRIPTS } from './scripts.ts';

export interface Word {
  text: string;
  script: string;
  /** How many words it counts as: 1, or less for a letter of a script without spaces; more for joined words. */
  weight: number;
  /** Whether a sentence begins with it; only for words with a capital and letters of scripts without spaces. */
  begins: boolean;
  /**
   * Whether it is a Latin word of a formula or of code, outside of any phrase. Such words may be English in any text,
   * so it counts only where it is neither in the target language nor in English.
   */
  technical: boolean;
}

/** Adjoining letters of one script, with apostrophes. */
const WORD = new RegExp(
  [
    ...SCRIPTS.map((script) => `(?:\\p{Script=${script}}\\p{M}*['’]?)+`),
    '(?:[\\p{L}\\p{Script=Braille}]\\p{M}*)+',
  ].join('|'),
  'gu',
);

const scriptPatterns = SCRIPTS.map((script) => ({
  script,
  pattern: new RegExp(`\\p{Script=${script}}`, 'u'),
}));
const scriptOfLetter = new Map<number, string>();

/** The script of a word's first letter. */
function scriptOf(word: string): string {
  const letter = word.codePointAt(0) ?? 0;
  const known = scriptOfLetter.get(letter);
  if (known !== undefined) return known;
  const found = scriptPatterns.find(({ pattern }) => pattern.test(word.slice(0, 2)))?.script ?? 'Other';
  scriptOfLetter.set(letter, found);
  return found;
}

/** Letters of a word that are passed to the detector. */
const LONGEST_WORD = 40;
/** A longer word counts as several joined words of this many letters each. */
const [JOINED, LETTERS_OF_JOINED] = [24, 8];

/** Units and names of functions, which are the same in all languages. */
const SYMBOLS = new Set(
  `kg km cm mm nm ml cl dl mg kj kw kwh hz khz mhz ghz mol sin cos tan cot sec csc sinh cosh tanh log ln exp lim
  max min sup inf mod gcd lcm deg dim ker pi sqrt abs arg avg std cov vs`.split(/\s+/),
);
const SHORT_CAPITALS = /^\p{Lu}{1,3}$/u;

/**
 * The words of a text, in order, without single letters, symbols and short abbreviations. `continues`: whether the
 * text starts within a sentence.
 */
export function wordsOf(text: string, { technical = false, continues = false } = {}): Word[] {
  const words: Word[] = [];
  for (const { 0: found, index } of text.matchAll(WORD)) {
    const script = scriptOf(found);
    const letters = lettersPerWord[script];
    if (letters !== undefined) {
      const weight = 1 / letters;
      let begins = beginsSentence(text, index, continues);
      for (const letter of found) {
        words.push({ text: letter, script, weight, begins, technical: false });
        begins = false;
      }
      continue;
    }
    const bare = found.replace(/(?<!['’])['’]+$/u, '');
    if (isSymbol(bare, script)) continue;
    const weight = bare.length > JOINED ? bare.length / LETTERS_OF_JOINED : 1;
    const begins = /^\p{Lu}/u.test(bare) && beginsSentence(text, index, continues);
    const cut = bare.slice(0, LONGEST_WORD);
    words.push({ text: cut, script, weight, begins, technical: technical && script === 'Latin' });
  }
  return words;
}

function isSymbol(word: string, script: string): boolean {
  const letters = [...word].length;
  if (letters < 2 || (script === 'Greek' && letters < 3)) return true;
  return script === 'Latin' && (SHORT_CAPITALS.test(word) || SYMBOLS.has(word.toLowerCase()));
}

/** Most blanks and opening punctuation marks between a sentence's end and the next word. */
const LONGEST_GAP = 10;

function beginsSentence(text: string, index: number, continues: boolean): boolean {
  for (let before = index - 1; before >= 0; before--) {
    const character = text[before] ?? '';
    if (!/[\s"'“«¿¡([*#>「『]/u.test(character)) return /[.!?:;…。！？；：]/u.test(character);
    if (index - before > LONGEST_GAP) return false;
  }
  return !continues;
}
