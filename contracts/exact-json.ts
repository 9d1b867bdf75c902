import { isInteger, LosslessNumber, parse, stringify } from 'lossless-json';

/** What a double cannot hold is written with at least 16 digits, or with an exponent of three. */
const MAY_LOSE = /\d{16}|[\d.]{16}|\d[eE][+-]?\d{3}/;

/** A number that a double holds as written, a bigint for any other integer, else the number's own text. */
function exactNumber(text: string): number | bigint | LosslessNumber {
  const value = Number(text);
  if (isInteger(text)) return Number.isSafeInteger(value) ? value : BigInt(text);
  return Number.isFinite(value) && digitsOf(String(value)) === digitsOf(text)
    ? value
    : new LosslessNumber(text);
}

/** Significant digits without sign, point, exponent and the zeros around them. */
function digitsOf(text: string): string {
  const [mantissa = ''] = text.toLowerCase().split('e');
  return mantissa.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
}

/**
 * JSON without loss: integers beyond 2^53 are bigints, decimals that a double would round keep their text
 * (`LosslessNumber`; `String(value)` is the text). Errors: SyntaxError.
 */
export function parseExactJson(text: string): unknown {
  return MAY_LOSE.test(text) ? parse(text, null, exactNumber) : JSON.parse(text);
}

/** The text of a value that `parseExactJson` made: every digit as it was read. */
export function stringifyExactJson(value: unknown): string {
  return stringify(value) ?? 'null';
}
