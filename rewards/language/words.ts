/** Cuts text into words by their scripts. */
import { lettersPerWord, SCRIPTS } from './scripts.ts';

export interface Word {
  text: string;
  script: string;
  /** How many words it counts as: 1, or less than that for the letters of a script without spaces. */
  weight: number;
  /** Whether a sentence begins with it; of words with a capital and of letters of scripts without spaces. */
  begins: boolean;
  /**
   * Of formulas and code, where English is at home whatever language surrounds them: such a word counts only
   * where it is of neither the target language nor English.
   */
  quiet: boolean;
}

/** Letters of one script beside each other, an apostrophe among them. */
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

/** Letters of a word that the detector is shown. */
const LONGEST_WORD = 40;
/** Letters from which a word is taken for several that were joined, and those of each. */
const [JOINED, LETTERS_OF_JOINED] = [24, 8];

/** Units and names of functions, which are the same in all languages. */
const SYMBOLS = new Set(
  `kg km cm mm nm ml cl dl mg kj kw kwh hz khz mhz ghz mol sin cos tan cot sec csc sinh cosh tanh log ln exp lim
  max min sup inf mod gcd lcm deg dim ker pi sqrt abs arg avg std cov vs`.split(/\s+/),
);
const SHORT_CAPITALS = /^\p{Lu}{1,3}$/u;

/**
 * The words of a text, in order. Single letters, symbols and short abbreviations are left out. `continues`: the
 * text goes on within a sentence.
 */
export function wordsOf(text: string, { quiet = false, continues = false } = {}): Word[] {
  const words: Word[] = [];
  for (const { 0: found, index } of text.matchAll(WORD)) {
    const script = scriptOf(found);
    const letters = lettersPerWord[script];
    if (letters !== undefined) {
      const weight = 1 / letters;
      let begins = beginsSentence(text, index, continues);
      for (const letter of found) {
        words.push({ text: letter, script, weight, begins, quiet: false });
        begins = false;
      }
      continue;
    }
    const bare = found.replace(/(?<!['’])['’]+$/u, '');
    if (isSymbol(bare, script)) continue;
    const weight = bare.length > JOINED ? bare.length / LETTERS_OF_JOINED : 1;
    const begins = /^\p{Lu}/u.test(bare) && beginsSentence(text, index, continues);
    const cut = bare.slice(0, LONGEST_WORD);
    words.push({ text: cut, script, weight, begins, quiet: quiet && script === 'Latin' });
  }
  return words;
}

function isSymbol(word: string, script: string): boolean {
  const letters = [...word].length;
  if (letters < 2 || (script === 'Greek' && letters < 3)) return true;
  return script === 'Latin' && (SHORT_CAPITALS.test(word) || SYMBOLS.has(word.toLowerCase()));
}

/** Blanks and opening signs that are looked through for a sentence's end. */
const MOST_SIGNS = 10;

function beginsSentence(text: string, place: number, continues: boolean): boolean {
  for (let before = place - 1; before >= 0; before--) {
    const sign = text[before] ?? '';
    if (!/[\s"'“«¿¡([*#>「『]/u.test(sign)) return /[.!?:;…。！？；：]/u.test(sign);
    if (place - before > MOST_SIGNS) return false;
  }
  return !continues;
}
