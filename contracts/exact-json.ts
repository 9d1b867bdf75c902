import { isInteger, isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';

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

/**
 * One text for one value, whoever stored it in between: keys sorted, numbers in one notation. Postgres, for one,
 * keeps keys in an order of its own and writes 1e22 as digits. Of values that doubles hold, `JSON.stringify`'s text.
 */
export function canonicalJson(value: unknown): string {
  return stringifyExactJson(canonical(value));
}

function canonical(value: unknown): unknown {
  if (typeof value === 'bigint') return canonicalNumber(value.toString());
  if (isLosslessNumber(value)) return canonicalNumber(value.toString());
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, each]) => [key, canonical(each)] as const);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The double that it equals, else its digits with an exponent. */
function canonicalNumber(text: string): number | LosslessNumber {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const padded = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = padded.replace(/0+$/, '');
  const power = Number(exponent) - fraction.length + (padded.length - digits.length);
  if (digits === '') return 0;
  const written = `${sign}${digits}e${power}`;
  const double = Number(written);
  return Number.isFinite(double) && equalsDouble(sign, digits, power, double)
    ? double
    : new LosslessNumber(written);
}

/** Integers alone can equal a double that prints with other digits: 2^53 + 2 is one, and 0.1 written in full is none. */
function equalsDouble(sign: string, digits: string, power: number, double: number): boolean {
  if (digitsOf(String(double)) === digits) return true;
  if (power < 0 || power > 400 || !Number.isInteger(double)) return false;
  return BigInt(`${sign}${digits}${'0'.repeat(power)}`) === BigInt(double);
}
