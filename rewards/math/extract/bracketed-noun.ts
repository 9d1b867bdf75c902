/** A noun in brackets after a value names what is counted or measured: `80 (raisins)`, `36 (sq. inches)`. */

import { parseUnit } from '../parse/units.ts';
import { numberInWords } from './number-words.ts';

const WORD = "\\p{L}[\\p{L}.'’-]{0,30}";
const WORDS = `${WORD}(?:\\s{1,3}${WORD}){0,7}`;
/** Words in brackets after a value, at the end of a text. */
const AT_END = new RegExp(
  `(?<=[\\d%]|(?<!\\\\)\\})\\s{0,5}\\(\\s{0,5}(${WORDS})\\s{0,5}\\)[.\\s]{0,5}$`,
  'u',
);
const WHOLE = new RegExp(`^\\s{0,5}${WORDS}\\s{0,5}$`, 'u');
/** Names of functions and constants, which are not nouns. */
const MATHEMATICS =
  /^(?:(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?[xyz]?|(?:sqrt|cbrt|log|ln|lg|exp|pi|mod|max|min|gcd|lcm|abs|det|dim|floor|ceil|infty|infinity)[xyz]?)$/i;
/** A word that cannot be a product of variables: long, or a plural. */
const NOUN = /^(?:\p{L}{2,}s|men|\p{L}[\p{L}.'’-]{3,})$/u;

/** First words of a reason or a remark. */
const REMARK =
  /^(?:because|since|as|if|when|where|which|who|that|for|so|but|not|by|from|using|with|after|before|assuming|given|exact|exactly|approximate|approximately|approx|about|rounded|simplified|correct|answer|final)(?![\p{L}'’-])/iu;

/** Whether brackets after a value hold a noun or a unit, and not a product of variables or a number in words. */
export function isNoun(inside: string): boolean {
  const said = inside.trim();
  if (!WHOLE.test(inside) || REMARK.test(said) || numberInWords(said) !== null) return false;
  const words = said.split(/\s+/);
  if (words.some((word) => MATHEMATICS.test(word))) return false;
  return words.some((word) => NOUN.test(word) || (word.length > 1 && parseUnit(word) !== null));
}

/** Replaces the noun in brackets at the end of a text, if there is one. */
export function withNounAtEnd(text: string, replacement: (noun: string) => string): string {
  if (!text.includes('(')) return text;
  return text.replace(AT_END, (whole, noun: string) => (isNoun(noun) ? replacement(noun) : whole));
}
