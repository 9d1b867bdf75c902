/** Compares numbers by what is written of them, without rounding them to doubles first. */

/** A number as it is written. */
interface Written {
  /** sign and digits without the point */
  digits: string;
  /** digits behind the point */
  decimals: number;
  power: number;
  /** neither a point nor an exponent */
  integer: boolean;
  exponent: boolean;
}

const DECIMAL = /^([+-]?)(\d*)(?:(\.)(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Characters, and powers of ten; a number beyond them is compared as text. */
const LONGEST = 400;

function read(text: string): Written | null {
  const found = text.length > LONGEST ? null : DECIMAL.exec(text);
  if (found === null) return null;
  const [, sign = '', whole = '', point, fraction = '', power] = found;
  if (whole + fraction === '' || Math.abs(Number(power ?? 0)) > LONGEST) return null;
  return {
    digits: `${sign === '-' ? '-' : ''}${whole}${fraction}`,
    decimals: fraction.length,
    power: Number(power ?? 0),
    integer: point === undefined && power === undefined,
    exponent: power !== undefined,
  };
}

/** How a text is written where it is a number; null of any other. */
export function notationOf(text: string): 'integer' | 'few-decimals' | 'real' | null {
  const written = read(text);
  if (written === null) return null;
  if (written.integer) return 'integer';
  return written.exponent || written.decimals >= REAL_DECIMALS ? 'real' : 'few-decimals';
}

/** A number of so many decimals is a real one that was rounded; one of fewer is taken at its word. */
const REAL_DECIMALS = 5;

/**
 * Whether a number is the expected one. Of an expected real number (five decimals or more, or an exponent): within
 * a relative 1e-6, as the checkers of contests have it, or rounding to what is written of it. Of one with fewer
 * decimals: both. There is no absolute tolerance but of zero, 1e-9. A whole number and an integer are equal or
 * different.
 */
export function isNear(expected: string, actual: string): boolean {
  const [wanted, found] = [read(expected), read(actual)];
  if (wanted === null || found === null) return false;
  if (sameButForRounding(Number(expected), Number(actual))) return true;
  const scale = Math.max(scaleOf(wanted), scaleOf(found), wanted.decimals, ZERO_DECIMALS);
  const [value, other] = [atScale(wanted, scale), atScale(found, scale)];
  const [size, difference] = [absolute(value), absolute(value - other)];
  if (difference === 0n) return true;
  if (found.integer && size % powerOfTen(scale) === 0n) return false;
  if (size === 0n && difference <= powerOfTen(scale - ZERO_DECIMALS)) return true;
  const relatively = difference * 1_000_000n <= size;
  if (wanted.exponent) return relatively;
  const rounded = 2n * difference <= powerOfTen(scale - wanted.decimals);
  return wanted.decimals >= REAL_DECIMALS ? relatively || rounded : relatively && rounded;
}

/** Whether two doubles differ by no more than what their rounding costs: a test that is fast, and never too wide. */
export function sameButForRounding(expected: number, actual: number): boolean {
  return Math.abs(expected) <= 1e7 && Math.abs(expected - actual) <= 1e-12 * Math.abs(expected);
}

/** Whether two numbers are equal exactly, however they are written. */
export function isEqual(expected: string, actual: string): boolean {
  const [wanted, found] = [read(expected), read(actual)];
  if (wanted === null || found === null) return expected === actual;
  const scale = Math.max(scaleOf(wanted), scaleOf(found));
  return atScale(wanted, scale) === atScale(found, scale);
}

/** What is this near to zero is zero, where zero is expected with a point. */
const ZERO_DECIMALS = 9;

const scaleOf = ({ decimals, power }: Written) => decimals - power;

const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/** The number times 10^scale. */
const atScale = (written: Written, scale: number): bigint =>
  BigInt(written.digits) * powerOfTen(scale - scaleOf(written));

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
