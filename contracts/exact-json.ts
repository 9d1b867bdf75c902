import { isInteger, LosslessNumber, stringify } from 'lossless-json';

/** A number that a double cannot represent has at least 16 digits, or an exponent of three digits. */
const MAY_LOSE = /\d{16}|[\d.]{16}|\d[eE][+-]?\d{3}/;
/** Parsing a bigint takes more than linear time: a longer integer stays a text. */
const LONGEST_BIGINT = 1_000;

/** A number that a double cannot represent exactly. */
type ExactNumber = bigint | LosslessNumber;

/** A double where it represents the number exactly, a bigint for any other integer, else the number's text. */
function exactNumber(text: string): number | ExactNumber {
  const value = Number(text);
  if (isInteger(text)) {
    if (Number.isSafeInteger(value)) return value;
    return text.length <= LONGEST_BIGINT ? BigInt(text) : new LosslessNumber(text);
  }
  return Number.isFinite(value) && digitsOf(String(value)) === digitsOf(text)
    ? value
    : new LosslessNumber(text);
}

/** Significant digits without sign, point, exponent, and leading and trailing zeros. */
function digitsOf(text: string): string {
  const [mantissa = ''] = text.toLowerCase().split('e');
  return withoutZeros(mantissa.replace(/[-.]/g, ''));
}

function withoutZeros(digits: string): string {
  let [from, to] = [0, digits.length];
  while (digits[from] === '0') from++;
  while (to > from && digits[to - 1] === '0') to--;
  return digits.slice(from, to);
}

/** Strings, closed or cut off, and anything that starts like a number. */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|-?\d[\d.eE+-]*/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Prefix of a number that is temporarily a string. It is random, so no other string starts with it. */
const MARK = Math.random().toString(36).slice(2);

/**
 * Parses JSON without loss. Integers beyond 2^53 are bigints (with more than 1,000 digits: their text); decimals that
 * a double would round keep their text (`LosslessNumber`; `String(value)` is the text). Takes linear time, so it is
 * safe for untrusted text. Errors: SyntaxError.
 */
export function parseExactJson(text: string): unknown {
  if (!MAY_LOSE.test(text)) return JSON.parse(text);
  let marks = 0;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || !MAY_LOSE.test(token) || !NUMBER.test(token)) return token;
    marks++;
    return `"${MARK}${token}"`;
  });
  return marks === 0 ? JSON.parse(text) : withNumbers(parsed(marked, text));
}

/** Parses the marked text; for invalid JSON, throws the error of the original text. */
function parsed(marked: string, text: string): unknown {
  try {
    return JSON.parse(marked);
  } catch {
    return JSON.parse(text);
  }
}

/** Replaces marked strings by their numbers; without recursion, since the nesting depth is not bounded. */
function withNumbers(root: unknown): unknown {
  const whole = [root];
  const open: object[] = [whole];
  const numberOr = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) open.push(value);
    const marked = typeof value === 'string' && value.startsWith(MARK);
    return marked ? exactNumber(value.slice(MARK.length)) : value;
  };
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (Array.isArray(each)) for (let i = 0; i < each.length; i++) each[i] = numberOr(each[i]);
    else replaceFields(each, numberOr);
  }
  return whole[0];
}

function replaceFields(object: object, replace: (value: unknown) => unknown): void {
  for (const [key, before] of Object.entries(object)) {
    if (key.startsWith(MARK)) throw new SyntaxError('expected a name in quotes, found a number');
    const value = replace(before);
    // defineProperty, since the field may be named __proto__.
    if (value !== before)
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }
}

/** The JSON text of a value from `parseExactJson`, with every digit as it was read. */
export function stringifyExactJson(value: unknown): string {
  return (holdsExactNumber(value) ? stringify(value) : JSON.stringify(value)) ?? 'null';
}

/** Whether a value is a number from `parseExactJson` that a double cannot represent exactly. */
export function isExactNumber(value: unknown): value is ExactNumber {
  return typeof value === 'bigint' || value instanceof LosslessNumber;
}

function holdsExactNumber(value: unknown): boolean {
  if (isExactNumber(value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsExactNumber);
}

/**
 * One value for equal numbers in any notation: a double where its shortest text equals the number, else digits and a
 * power of ten.
 */
export function canonicalNumber(value: ExactNumber): number | LosslessNumber {
  const text = plainText(String(value));
  const double = Number(text);
  return plainText(String(double)) === text ? double : new LosslessNumber(text);
}

/** Digits and a power of ten: `-123e2` for `-12300.0`. */
function plainText(text: string): string {
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const all = whole + fraction;
  const digits = withoutZeros(all);
  if (digits === '') return '0';
  const zeros = all.length - all.indexOf(digits) - digits.length;
  return `${mantissa.startsWith('-') ? '-' : ''}${digits}e${Number(power) - fraction.length + zeros}`;
}

/**
 * One text per value, with sorted keys and numbers in one notation: Postgres reorders keys and writes 1e22 as digits.
 * For values without exact numbers it is `JSON.stringify`'s text with sorted keys.
 */
export const canonicalJson = (value: unknown): string => stringifyExactJson(canonical(value));

function canonical(value: unknown): unknown {
  if (isExactNumber(value)) return canonicalNumber(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, each]) => [key, canonical(each)] as const);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}
