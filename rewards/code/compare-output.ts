/**
 * Whether a program's whole output is the expected one. Blanks at the end of a line and at the end of the
 * output are forgiven; a line too many, too few or elsewhere is not.
 */
export function sameOutput(expected: string, actual: string): boolean {
  return withoutTrailingBlanks(expected) === withoutTrailingBlanks(actual);
}

function withoutTrailingBlanks(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd());
  return lines.join('\n').trimEnd();
}

/** Marks an integer that a double cannot hold; no text of a test holds this sign. */
const BIG = '\u0001';
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** Reads JSON; integers of 16 digits and more keep all of them. Undefined where it is no JSON. */
export function parseExact(text: string): unknown {
  try {
    return JSON.parse(
      text.replace(TOKEN, (token) => (LONG_INTEGER.test(token) ? `"\\u0001${token}"` : token)),
    );
  } catch {
    return undefined;
  }
}

/**
 * Whether two values read from JSON are the same. Integers are compared exactly, other numbers within a
 * relative 1e-9, which the order of additions may cost.
 */
export function sameValue(expected: unknown, actual: unknown): boolean {
  if (isNumeric(expected) && isNumeric(actual)) return sameNumber(expected, actual);
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
  return expected === actual;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumeric(value: unknown): value is number | string {
  return typeof value === 'number' || (typeof value === 'string' && value.startsWith(BIG));
}

function sameNumber(expected: number | string, actual: number | string): boolean {
  if (typeof expected === typeof actual && expected === actual) return true;
  if (typeof expected === 'string' && typeof actual === 'string') return false;
  const [a, b] = [expected, actual].map((each) => Number(String(each).replace(BIG, ''))) as [number, number];
  if (Number.isInteger(a) && Number.isInteger(b)) return a === b;
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}
