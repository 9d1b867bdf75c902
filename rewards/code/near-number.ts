/** Compares numbers by their digits as written, without rounding them to doubles first. */

/** A number as written. */
interface Written {
  /** sign and digits without the point */
  digits: string;
  /** number of digits after the point */
  decimals: number;
  power: number;
  /** written without a point and without an exponent */
  integer: boolean;
  exponent: boolean;
}

const DECIMAL = /^([+-]?)(\d*)(?:(\.)(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Most characters, and the largest power of ten; a number beyond these is compared as text. */
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

/** The notation of a number; null for other text. */
export function notationOf(text: string): 'integer' | 'few-decimals' | 'real' | null {
  const written = read(text);
  if (written === null) return null;
  if (written.integer) return 'integer';
  return written.exponent || written.decimals >= REAL_DECIMALS ? 'real' : 'few-decimals';
}

/** A number with at least this many decimals is a rounded real number; one with fewer is exact. */
const REAL_DECIMALS = 5;

/**
 * Whether a number equals the expected one, within a tolerance. For an expected real number (five or more decimals,
 * or an exponent): a relative difference of at most 1e-6, as in contests, or the same digits after rounding. For a
 * number with fewer decimals: both. Zero has an absolute tolerance of 1e-9. An integer has none where the expected
 * number is whole.
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

/** Whether two doubles differ only by rounding errors: a fast test, stricter than `isNear`. */
export function sameButForRounding(expected: number, actual: number): boolean {
  return Math.abs(expected) <= 1e7 && Math.abs(expected - actual) <= 1e-12 * Math.abs(expected);
}

/** Whether two numbers are exactly equal, in any notation. */
export function isEqual(expected: string, actual: string): boolean {
  const [wanted, found] = [read(expected), read(actual)];
  if (wanted === null || found === null) return expected === actual;
  const scale = Math.max(scaleOf(wanted), scaleOf(found));
  return atScale(wanted, scale) === atScale(found, scale);
}

/** Where zero is expected with a point, the difference may be one unit of this decimal place. */
const ZERO_DECIMALS = 9;

const scaleOf = ({ decimals, power }: Written) => decimals - power;

const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/** The number times 10^scale. */
const atScale = (written: Written, scale: number): bigint =>
  BigInt(written.digits) * powerOfTen(scale - scaleOf(written));

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
