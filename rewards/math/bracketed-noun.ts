/** What is counted or measured, in brackets after its value: `80 (raisins)`, `36 (sq. inches)`. */
import { numberInWords } from './number-words.ts';
import { parseUnit } from './units.ts';

const WORD = "\\p{L}[\\p{L}.'’-]{0,30}";
const WORDS = `${WORD}(?:\\s{1,3}${WORD}){0,7}`;
/** A value and such words at the end of a text. */
const AT_END = new RegExp(
  `(?<=[\\d%]|(?<!\\\\)\\})\\s{0,5}\\(\\s{0,5}(${WORDS})\\s{0,5}\\)[.\\s]{0,5}$`,
  'u',
);
const WHOLE = new RegExp(`^\\s{0,5}${WORDS}\\s{0,5}$`, 'u');
/** Names of mathematics, which are no nouns. */
const MATHEMATICS =
  /^(?:(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?[xyz]?|(?:sqrt|cbrt|log|ln|lg|exp|pi|mod|max|min|gcd|lcm|abs|det|dim|floor|ceil|infty|infinity)[xyz]?)$/i;
/** A word that no letters of a product make: long, or a plural. */
const NOUN = /^(?:\p{L}{2,}s|men|\p{L}[\p{L}.'’-]{3,})$/u;

/** Words that a reason or a remark begins with. */
const REMARK =
  /^(?:because|since|as|if|when|where|which|who|that|for|so|but|not|by|from|using|with|after|before|assuming|given|exact|exactly|approximate|approximately|approx|about|rounded|simplified|correct|answer|final)(?![\p{L}'’-])/iu;

/** Whether the inside of brackets after a value is a noun or a unit: no product of letters, and no number in words. */
export function isNoun(inside: string): boolean {
  const said = inside.trim();
  if (!WHOLE.test(inside) || REMARK.test(said) || numberInWords(said) !== null) return false;
  const words = said.split(/\s+/);
  if (words.some((word) => MATHEMATICS.test(word))) return false;
  return words.some((word) => NOUN.test(word) || (word.length > 1 && parseUnit(word) !== null));
}

/** The same text with the noun in brackets at its end, if there is one, replaced. */
export function withNounAtEnd(text: string, replacement: (noun: string) => string): string {
  if (!text.includes('(')) return text;
  return text.replace(AT_END, (whole, noun: string) => (isNoun(noun) ? replacement(noun) : whole));
}
