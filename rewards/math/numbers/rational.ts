import { limits, type StepBudget } from '../limits.ts';

/** n / d, d > 0, not always in lowest terms: equality multiplies across. */
export interface Rational {
  n: bigint;
  d: bigint;
}

const bits = (value: bigint) => value.toString(16).length * 4;

/** Size in words of 64 bits: the cost of an operation. */
const words = ({ n, d }: Rational) => Math.ceil((bits(n) + bits(d)) / 64);

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** n / d with d > 0, small values in lowest terms; null where it exceeds the limit of bits, or d is 0. */
function make(n: bigint, d: bigint, steps: StepBudget): Rational | null {
  if (d === 0n) return null;
  const positive = d < 0n ? { n: -n, d: -d } : { n, d };
  const size = words(positive);
  steps.spend(size);
  if (d === 1n) return bits(n) > limits.numberBits ? null : positive;
  if (Math.max(bits(n), bits(d)) > limits.numberBits) return null;
  // Euclid's algorithm on long numbers costs the square of their length.
  if (size > 32) return positive;
  const divisor = gcd(positive.n, positive.d);
  return { n: positive.n / divisor, d: positive.d / divisor };
}

export function add(a: Rational, b: Rational, steps: StepBudget): Rational | null {
  return make(a.n * b.d + b.n * a.d, a.d * b.d, steps);
}

export const negate = ({ n, d }: Rational): Rational => ({ n: -n, d });

export function multiply(a: Rational, b: Rational, steps: StepBudget): Rational | null {
  return make(a.n * b.n, a.d * b.d, steps);
}

export function divide(a: Rational, b: Rational, steps: StepBudget): Rational | null {
  return make(a.n * b.d, a.d * b.n, steps);
}

/** Only whole exponents; null where the exponent or the result is too large. */
export function power(base: Rational, exponent: Rational, steps: StepBudget): Rational | null {
  if (exponent.n % exponent.d !== 0n) return null;
  const whole = exponent.n / exponent.d;
  const size = whole < 0n ? -whole : whole;
  const unit = base.d === 1n && (base.n === 1n || base.n === 0n || base.n === -1n);
  if (unit) return base.n === 0n && whole <= 0n ? null : { n: base.n ** (size % 2n || 2n), d: 1n };
  const longest = BigInt(Math.max(bits(base.n), bits(base.d)));
  if (size * longest > BigInt(limits.numberBits) * 4n) return null;
  steps.spend(Number(size * longest) / 8);
  const [n, d] = [base.n ** size, base.d ** size];
  return whole < 0n ? make(d, n, steps) : make(n, d, steps);
}

/** n!, where it is not too large. */
export function factorial({ n, d }: Rational, steps: StepBudget): Rational | null {
  if (d === 0n || n % d !== 0n || n < 0n || n / d > 2_500n) return null;
  const last = n / d;
  let product = 1n;
  for (let k = 2n; k <= last; k++) {
    product *= k;
    steps.spend(4);
  }
  return { n: product, d: 1n };
}

/** n over k of whole numbers that are not too large. */
export function binomial(n: Rational, k: Rational, steps: StepBudget): Rational | null {
  const isWhole = n.n % n.d === 0n && k.n % k.d === 0n;
  const [top, below] = [n.n / n.d, k.n / k.d];
  if (!isWhole || below < 0n || top < 0n || top > 10_000n) return null;
  if (below > top) return { n: 0n, d: 1n };
  const shorter = below < top - below ? below : top - below;
  let product = 1n;
  for (let i = 1n; i <= shorter; i++) {
    product = (product * (top - shorter + i)) / i;
    steps.spend(4 + bits(product) / 64);
  }
  return bits(product) > limits.numberBits ? null : { n: product, d: 1n };
}

export function equal(a: Rational, b: Rational, steps: StepBudget): boolean {
  steps.spend(words(a) * words(b));
  return a.n * b.d === b.n * a.d;
}

/** The value as a double; finite for 2^2000 / 3^2000, whose parts exceed the range of doubles. */
export function toNumber({ n, d }: Rational): number {
  const shift = BigInt(Math.max(0, Math.max(bits(n), bits(d)) - 1_000));
  const [top, bottom] = [Number(n), Number(d)];
  if (Number.isFinite(top) && Number.isFinite(bottom)) return top / bottom;
  return Number(n >> shift) / Number(d >> shift);
}

/** The natural logarithm of the absolute value, which may be outside the range of doubles. */
export function logarithm({ n, d }: Rational): number {
  const size = (value: bigint) => {
    const shift = Math.max(0, bits(value) - 1_000);
    return Math.log(Number((value < 0n ? -value : value) >> BigInt(shift))) + shift * Math.LN2;
  };
  return size(n) - size(d);
}

/** The power of ten of a decimal's last digit: "12.50" → -2, "6.02e23" → 21; null for a whole number. */
export function decimalPlaces(text: string): number | null {
  if (!/[.eE]/.test(text)) return null;
  const [, fraction = '', exponent = '0'] = /^\d*(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  return Number(exponent) - fraction.length;
}

/** "12.50" → 25/2. */
export function fromDecimal(text: string): Rational {
  if (/^\d+$/.test(text)) return { n: BigInt(text), d: 1n };
  const [, whole = '', fraction = '', exponent = '0'] =
    /^(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const shift = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction || '0');
  return shift >= 0 ? { n: digits * 10n ** BigInt(shift), d: 1n } : { n: digits, d: 10n ** BigInt(-shift) };
}
