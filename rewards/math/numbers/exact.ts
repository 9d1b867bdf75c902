import type { StepBudget } from '../limits.ts';
import { type Application, type Expression, type Head, isHead } from '../parse/expression.ts';
import type { Complex } from './complex.ts';
import { leafValue, type Point, valueAt } from './numeric.ts';
import type { Rational } from './rational.ts';
import * as rational from './rational.ts';

type Rule = (values: Rational[], steps: StepBudget) => Rational | null;

const HUNDRED: Rational = { n: 100n, d: 1n };

const binary =
  (operation: (a: Rational, b: Rational, steps: StepBudget) => Rational | null): Rule =>
  ([a, b], steps) =>
    a && b ? operation(a, b, steps) : null;

/** Operations whose value is rational where their arguments are. */
const RULES: Partial<Record<Head, Rule>> = {
  add: binary(rational.add),
  multiply: binary(rational.multiply),
  divide: binary(rational.divide),
  power: binary(rational.power),
  negate: ([a]) => (a ? { n: -a.n, d: a.d } : null),
  percent: ([a], steps) => (a ? rational.divide(a, HUNDRED, steps) : null),
  quantity: ([a]) => a ?? null,
  factorial: ([a], steps) => (a ? rational.factorial(a, steps) : null),
  binomial: binary(rational.binomial),
  absolute: ([a]) => (a ? { n: a.n < 0n ? -a.n : a.n, d: a.d } : null),
  ratio: (values, steps) => (values.length === 2 ? binary(rational.divide)(values, steps) : null),
};

/** Rational values of the variables. */
export type RationalPoint = ReadonlyMap<string, Rational>;

const NOWHERE: RationalPoint = new Map();

function applied({ head, args }: Application, steps: StepBudget, point: RationalPoint): Rational | null {
  const rule = RULES[head];
  if (!rule) return null;
  const values: Rational[] = [];
  for (const arg of args) {
    const value = exactValue(arg, steps, point);
    if (value === null) return null;
    values.push(value);
  }
  return rule(values, steps);
}

/** The value as a fraction of whole numbers; null where it is not rational, or exceeds the limits. */
export function exactValue(
  expression: Expression,
  steps: StepBudget,
  point: RationalPoint = NOWHERE,
): Rational | null {
  steps.spend(1);
  if (expression.kind === 'number') return expression.value;
  if (expression.kind === 'symbol') return point.get(expression.name) ?? null;
  return expression.kind === 'apply' ? applied(expression, steps, point) : null;
}

/** Sign and logarithm (ln) of the absolute value of a number other than 0. */
interface Magnitude {
  sign: 1 | -1;
  log: number;
}

function ofNumber(value: number): Magnitude | null {
  if (value === 0 || !Number.isFinite(value)) return null;
  return { sign: value < 0 ? -1 : 1, log: Math.log(Math.abs(value)) };
}

const flipped = ({ sign, log }: Magnitude): Magnitude => ({ sign: sign === 1 ? -1 : 1, log });

/**
 * Sign and logarithm of products, quotients and powers of real numbers, for values outside the range of doubles;
 * null for everything else, and for 0.
 */
export function magnitudeOf(expression: Expression, steps: StepBudget, point: Point): Magnitude | null {
  steps.spend(1);
  if (expression.kind !== 'apply') {
    const leaf = leafValue(expression, point);
    if (leaf === null || leaf.im !== 0) return null;
    return ofNumber(leaf.re) ?? ofExact(exactValue(expression, steps));
  }
  if (!isHead(expression, 'negate', 'multiply', 'divide', 'power', 'quantity', 'percent')) return null;
  const [a, b] = expression.args;
  const left = a ? magnitudeOf(a, steps, point) : null;
  if (left === null || isHead(expression, 'quantity')) return left;
  if (isHead(expression, 'negate')) return flipped(left);
  if (isHead(expression, 'percent')) return { ...left, log: left.log - Math.log(100) };
  if (isHead(expression, 'power')) return b ? powerOf(left, valueAt(b, point, steps)) : null;
  const right = b ? magnitudeOf(b, steps, point) : null;
  if (right === null) return null;
  const sign = left.sign === right.sign ? 1 : -1;
  return { sign, log: isHead(expression, 'multiply') ? left.log + right.log : left.log - right.log };
}

/** For a number outside the range of doubles. */
function ofExact(value: Rational | null): Magnitude | null {
  if (value === null || value.n === 0n) return null;
  const log = rational.logarithm(value);
  return { sign: value.n < 0n ? -1 : 1, log };
}

function powerOf({ sign, log }: Magnitude, { re, im }: Complex): Magnitude | null {
  if (im !== 0 || (sign === -1 && !Number.isInteger(re))) return null;
  return { sign: sign === -1 && Math.abs(re % 2) === 1 ? -1 : 1, log: log * re };
}
