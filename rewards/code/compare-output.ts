import { isExactNumber, parseExactJson } from '../../contracts/exact-json.ts';
import { isEqual, isNear, notationOf, sameButForRounding } from './near-number.ts';

/** How outputs are compared: numbers by value, or everything as text. */
export const COMPARISONS = ['numbers', 'text'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/**
 * Whether a program's whole output equals the expected one. Blanks at the ends of lines and of the output are
 * ignored; the lines themselves have to match. With `numbers`, an expected number with a point or an exponent is
 * compared by value; in a line that also has words, only with five or more decimals, or an exponent. Integers and
 * words are compared as text.
 */
export function sameOutput(expected: string, actual: string, by: Comparison = 'numbers'): boolean {
  const [wanted, found] = [withoutTrailingBlanks(expected), withoutTrailingBlanks(actual)];
  if (wanted === found) return true;
  if (by === 'text') return false;
  const [lines, others] = [wanted.split('\n'), found.split('\n')];
  return lines.length === others.length && lines.every((line, i) => sameLine(line, others[i] ?? ''));
}

function withoutTrailingBlanks(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd());
  return lines.join('\n').trimEnd();
}

/** Whether two lines have the same blanks and, in order, the same words and numbers. */
function sameLine(expected: string, actual: string): boolean {
  if (expected === actual) return true;
  const [parts, others] = [expected.split(BLANKS), actual.split(BLANKS)];
  if (parts.length !== others.length) return false;
  let numbersAlone: boolean | undefined;
  return parts.every((part, i) => {
    const other = others[i] ?? '';
    if (part === other) return true;
    const notation = isSpecial(part) ? 'special' : notationOf(part);
    if (notation === null || notation === 'integer') return false;
    if (notation === 'real') return isNear(part, other);
    numbersAlone ??= parts.every(isBlankOrNumber);
    if (!numbersAlone) return false;
    return notation === 'special' ? specialOf(part) === specialOf(other) : isNear(part, other);
  });
}

const BLANKS = /(\s+)/;
const isBlankOrNumber = (part: string) => part.trim() === '' || isSpecial(part) || notationOf(part) !== null;

const SPECIAL = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;
const isSpecial = (part: string) => SPECIAL.test(part);

/** One name for NaN with any sign, and for each infinity; null for other text. */
function specialOf(part: string): string | null {
  const [whole, sign, nan] = SPECIAL.exec(part) ?? [];
  if (whole === undefined) return null;
  return nan === undefined ? `${sign === '-' ? '-' : ''}inf` : 'nan';
}

/** Parses JSON that a program wrote; undefined where it is not JSON. */
export function parseExact(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a value equals the expected one, both as `parseExactJson` returns them. Integers are compared exactly,
 * other numbers by `isNear`; booleans are not numbers.
 */
export function sameValue(expected: unknown, actual: unknown): boolean {
  if (expected === actual) return true;
  if (typeof expected === 'number' && typeof actual === 'number' && sameButForRounding(expected, actual))
    return true;
  if (numberText(expected) !== null) return sameNumber(expected, actual);
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return expected.length === actual.length && expected.every((each, i) => sameValue(each, actual[i]));
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = Object.keys(expected);
    return (
      keys.length === Object.keys(actual).length &&
      keys.every((key) => Object.hasOwn(actual, key) && sameValue(expected[key], actual[key]))
    );
  }
  return false;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number as written; null for any other value. */
function numberText(value: unknown): string | null {
  return typeof value === 'number' || isExactNumber(value) ? String(value) : null;
}

function sameNumber(expected: unknown, actual: unknown): boolean {
  const [wanted, found] = [numberText(expected), numberText(actual)];
  if (wanted === null || found === null) return false;
  if (isEqual(wanted, found)) return true;
  // An expected double equals the same double, however many digits are written.
  if (typeof expected === 'number' && !Number.isSafeInteger(expected) && Number(found) === expected)
    return true;
  if (notationOf(wanted) !== 'integer') return isNear(wanted, found);
  return typeof actual === 'number' && isDoubleOf(wanted, actual);
}

/** Whether a double equals an integer: exactly, or up to a rounding error where the integer is small. */
function isDoubleOf(integer: string, double: number): boolean {
  if (Number.isInteger(double)) return BigInt(double) === BigInt(integer);
  const size = Number(integer);
  return Number.isSafeInteger(size) && Math.abs(size - double) <= Math.min(1e-9 * Math.abs(size), 1e-6);
}
