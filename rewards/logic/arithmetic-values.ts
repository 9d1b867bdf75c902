/** The values of an arithmetic expression: exact fractions, or doubles where it contains decimals or roots. */
import {
  add,
  bitLength,
  divide,
  floor,
  integer,
  multiply,
  type Rational,
  rational,
  subtract,
  toNumber,
} from '../../algorithm/puzzles/rational.ts';

export type Value = { exact: Rational } | { approximate: number };

export type Operator = '+' | '-' | '*' | '/' | '//' | '%' | '**';

type Operation = (a: Value, b: Value) => Value | null;

/** Limit on the size of a value: a tower of powers scores 0 and takes no time. */
const MOST_BITS = 1_024;

/** Every operator as Python defines it; null for a division by zero and beyond the limits. */
export const binaryOperations: Record<Operator, Operation> = {
  '+': operation(add, (a, b) => a + b),
  '-': operation(subtract, (a, b) => a - b),
  '*': operation(multiply, (a, b) => a * b),
  '/': operation(divide, (a, b) => a / b),
  '//': operation(floorDivide, (a, b) => Math.floor(a / b)),
  '%': operation(modulo, (a, b) => a - b * Math.floor(a / b)),
  '**': operation(power, (a, b) => a ** b),
};

function operation(
  exactly: (a: Rational, b: Rational) => Rational | number | null,
  roughly: (a: number, b: number) => number,
): Operation {
  return (a, b) => {
    if ('exact' in a && 'exact' in b) return bounded(exactly(a.exact, b.exact));
    return bounded(roughly(asNumber(a), asNumber(b)));
  };
}

/** The value, or null beyond the limits. */
export function bounded(value: Rational | number | null): Value | null {
  if (value === null) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? { approximate: value } : null;
  return Math.max(bitLength(value.n), bitLength(value.d)) <= MOST_BITS ? { exact: value } : null;
}

export function asNumber(value: Value): number {
  return 'exact' in value ? toNumber(value.exact) : value.approximate;
}

/** The integer part, towards zero. */
export function truncated(value: Value): bigint {
  if ('approximate' in value) return BigInt(Math.trunc(value.approximate));
  return value.exact.n / value.exact.d;
}

function floorDivide(a: Rational, b: Rational): Rational | null {
  const quotient = divide(a, b);
  return quotient && integer(floor(quotient));
}

/** a − b·⌊a/b⌋, which has the divisor's sign. */
function modulo(a: Rational, b: Rational): Rational | null {
  const quotient = floorDivide(a, b);
  const product = quotient && multiply(b, quotient);
  return product && subtract(a, product);
}

function power(base: Rational, exponent: Rational): Rational | number | null {
  if (exponent.d !== 1n) return root(base, exponent);
  const times = exponent.n < 0n ? -exponent.n : exponent.n;
  const bits = BigInt(Math.max(bitLength(base.n), bitLength(base.d)));
  const unit = base.d === 1n && base.n >= -1n && base.n <= 1n;
  if (!unit && bits * times > 2 * MOST_BITS) return null;
  const exponentOf = unit ? times % 2n || (times === 0n ? 0n : 2n) : times;
  const [n, d] = [base.n ** exponentOf, base.d ** exponentOf];
  return exponent.n < 0n ? rational(d, n) : { n, d };
}

/** base^(p/q): exact where the root is rational (64^(1/3) = 4), else a double; null for a negative base. */
function root(base: Rational, exponent: Rational): Rational | number | null {
  if (base.n < 0n) return null;
  const n = exactRoot(base.n, exponent.d);
  const d = exactRoot(base.d, exponent.d);
  if (n === null || d === null) return toNumber(base) ** toNumber(exponent);
  return power({ n, d }, integer(exponent.n));
}

function exactRoot(value: bigint, degree: bigint): bigint | null {
  const guess = Number(value) ** (1 / Number(degree));
  if (!Number.isSafeInteger(Math.round(guess)) || degree > BigInt(MOST_BITS)) return null;
  const whole = BigInt(Math.round(guess));
  return whole ** degree === value ? whole : null;
}

/** n! of a whole number that is not negative. */
export function factorial(value: Value): Value | null {
  if (!('exact' in value) || value.exact.d !== 1n) return null;
  const { n } = value.exact;
  if (n < 0n || n > 500n) return null;
  let product = 1n;
  for (let factor = 2n; factor <= n; factor++) product *= factor;
  return bounded(integer(product));
}
