/** Reads text as Python's `str`, `int` and `float` do, where JavaScript's own functions differ. */

/** The characters of `str.isspace`. JavaScript's `trim` differs: it also removes U+FEFF. */
const SPACES = new Set('\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000');
for (let point = 0x2000; point <= 0x200a; point++) SPACES.add(String.fromCharCode(point));

/** `str.strip()`, or `str.strip(characters)`; linear in the text. */
export function strip(text: string, characters: ReadonlySet<string> = SPACES): string {
  let start = 0;
  while (start < text.length && characters.has(text.charAt(start))) start++;
  return stripEnd(text.slice(start), characters);
}

/** `str.rstrip()`. */
export function stripEnd(text: string, characters: ReadonlySet<string> = SPACES): string {
  let end = text.length;
  while (end > 0 && characters.has(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** `str.split()`: the words between white space. */
export function words(text: string): string[] {
  return Array.from(text, (character) => (SPACES.has(character) ? ' ' : character))
    .join('')
    .split(' ')
    .filter((word) => word !== '');
}

/** `len`: code points, not UTF-16 units. */
export function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Replaces decimal digits of any script by ASCII digits, as `int`, `float` and `Decimal` do. */
export function asciiDigits(text: string): string {
  return text.replace(/(?![0-9])\p{Nd}/gu, (digit) => String(digitValue(digit.codePointAt(0) ?? 0)));
}

/** The digits of scripts form runs of ten, or of several tens, that start with a zero. */
function digitValue(point: number): number {
  let start = point;
  while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start--;
  return (point - start) % 10;
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
const INTEGER = new RegExp(`^[+-]?${DIGITS}$`);
const FLOAT = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, 'i');
const SPECIAL = /^([+-]?)(?:(inf|infinity)|nan)$/i;
/** Python's own limit on the digits of an integer. */
const MOST_DIGITS = 4_300;

/** `int(text)`; null where Python raises. */
export function parseInteger(text: string): bigint | null {
  const plain = asciiDigits(strip(text));
  if (!INTEGER.test(plain)) return null;
  const digits = plain.replaceAll('_', '').replace(/^[+-]/, '');
  if (digits.length > MOST_DIGITS) return null;
  return plain.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}

/** `float(text)`; null where Python raises. */
export function parseFloatText(text: string): number | null {
  const plain = asciiDigits(strip(text));
  const special = SPECIAL.exec(plain);
  if (special) {
    if (special[2] === undefined) return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return FLOAT.test(plain) ? Number(plain.replaceAll('_', '')) : null;
}
