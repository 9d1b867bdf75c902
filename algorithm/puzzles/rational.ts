/** Exact fractions n/d: d is positive, and n and d have no common divisor. */
export interface Rational {
  n: bigint;
  d: bigint;
}

/** n/d in lowest terms; null where d is 0. */
export function rational(n: bigint, d = 1n): Rational | null {
  if (d === 0n) return null;
  const sign = d < 0n ? -1n : 1n;
  const divisor = gcd(n < 0n ? -n : n, d * sign);
  return { n: (sign * n) / divisor, d: (sign * d) / divisor };
}

export function integer(n: bigint | number): Rational {
  return { n: BigInt(n), d: 1n };
}

type Operation = (a: Rational, b: Rational) => Rational | null;

export const add: Operation = (a, b) => rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const subtract: Operation = (a, b) => rational(a.n * b.d - b.n * a.d, a.d * b.d);
export const multiply: Operation = (a, b) => rational(a.n * b.n, a.d * b.d);
export const divide: Operation = (a, b) => rational(a.n * b.d, a.d * b.n);

export function equals(a: Rational, b: Rational): boolean {
  return a.n === b.n && a.d === b.d;
}

/** The largest integer that is not above it. */
export function floor({ n, d }: Rational): bigint {
  const quotient = n / d;
  return n < 0n && quotient * d !== n ? quotient - 1n : quotient;
}

/** The nearest double, to within its last bits, of parts that are below 2^1024. */
export function toNumber({ n, d }: Rational): number {
  return Number(n) / Number(d);
}

/** Bits of |n|, rounded up to a multiple of four. */
export function bitLength(n: bigint): number {
  return (n < 0n ? -n : n).toString(16).length * 4;
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
