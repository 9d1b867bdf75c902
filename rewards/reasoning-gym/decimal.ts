/**
 * Decimal numbers of any size, as Python's `Decimal` reads them. They are compared without writing out all digits.
 */
import { asciiDigits, strip } from './python-text.ts';

/** ± digits · 10^exponent; `digits` has no zeros at either end, and is empty for 0. */
export interface Decimal {
  negative: boolean;
  digits: string;
  exponent: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,15}))?$/i;

/** `Decimal(text)` where it is a finite number, else null. */
export function parseDecimal(text: string): Decimal | null {
  const match = DECIMAL.exec(asciiDigits(strip(text).replaceAll('_', '')));
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const written = dropLeadingZeros(whole + fraction);
  const digits = dropTrailingZeros(written);
  if (digits === '') return { negative: false, digits, exponent: 0 };
  const lastPlace = Number(exponent) - fraction.length + (written.length - digits.length);
  return { negative: sign === '-', digits, exponent: lastPlace };
}

export function decimalEquals(a: Decimal, b: Decimal): boolean {
  return a.negative === b.negative && a.digits === b.digits && a.exponent === b.exponent;
}

/** Decimal places below the tolerance that still count, and the digits from which a number is too large to scale. */
const GUARD = 30;
const FAR = 1_000;

/** |a − b| ≤ 10^−places. */
export function within(a: Decimal, b: Decimal, places: number): boolean {
  const scale = places + GUARD;
  const [scaledA, scaledB] = [scaled(a, scale), scaled(b, scale)];
  if (scaledA === null || scaledB === null) return decimalEquals(a, b);
  const difference = scaledA > scaledB ? scaledA - scaledB : scaledB - scaledA;
  return difference <= 10n ** BigInt(GUARD);
}

/** ⌊|a|·10^scale⌋ with the sign of a; null for a number that is too large. */
function scaled({ negative, digits, exponent }: Decimal, scale: number): bigint | null {
  const places = exponent + scale;
  if (digits.length + places > FAR) return null;
  const text = places >= 0 ? digits + '0'.repeat(digits === '' ? 0 : places) : digits.slice(0, places);
  const value = BigInt(text === '' ? 0 : text);
  return negative ? -value : value;
}

function dropLeadingZeros(digits: string): string {
  let start = 0;
  while (digits[start] === '0') start++;
  return digits.slice(start);
}

function dropTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
