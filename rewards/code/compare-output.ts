import { isExactNumber, parseExactJson } from '../../contracts/exact-json.ts';
import { isEqual, isNear, notationOf, sameButForRounding } from './near-number.ts';

/** Whether numbers that are printed are compared by their values, or all of an output as text. */
export const COMPARISONS = ['numbers', 'text'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/**
 * Whether a program's whole output is the expected one. Blanks at the end of a line and at the end of the
 * output are forgiven; a line too many, too few or elsewhere is not. By `numbers`, a number that is expected
 * with a point or an exponent is compared by value: in a line of numbers alone any, in a line with words one of
 * five decimals or more. Integers and words are text.
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

/** Lines of the same blanks and, in their order, the same words and numbers. */
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

/** Not a number, whatever its sign, and the two infinities, by whichever name. */
function specialOf(part: string): string | null {
  const [whole, sign, nan] = SPECIAL.exec(part) ?? [];
  if (whole === undefined) return null;
  return nan === undefined ? `${sign === '-' ? '-' : ''}inf` : 'nan';
}

/** Reads JSON that a program wrote; undefined where it is none. */
export function parseExact(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a value is the expected one, both as `parseExactJson` reads them. Integers are exact, booleans
 * are no numbers, and other numbers are near (`isNear`).
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

/** A number as it is written; null of any other value. */
function numberText(value: unknown): string | null {
  return typeof value === 'number' || isExactNumber(value) ? String(value) : null;
}

function sameNumber(expected: unknown, actual: unknown): boolean {
  const [wanted, found] = [numberText(expected), numberText(actual)];
  if (wanted === null || found === null) return false;
  if (isEqual(wanted, found)) return true;
  // Where a double is expected, the same double is it, however many digits are written.
  if (typeof expected === 'number' && !Number.isSafeInteger(expected) && Number(found) === expected)
    return true;
  if (notationOf(wanted) !== 'integer') return isNear(wanted, found);
  return typeof actual === 'number' && isDoubleOf(wanted, actual);
}

/** A double is the integer that it holds exactly, or a small one that it misses by a rounding error. */
function isDoubleOf(integer: string, double: number): boolean {
  if (Number.isInteger(double)) return BigInt(double) === BigInt(integer);
  const size = Number(integer);
  return Number.isSafeInteger(size) && Math.abs(size - double) <= Math.min(1e-9 * Math.abs(size), 1e-6);
}
