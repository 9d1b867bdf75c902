import type { StepBudget } from '../limits.ts';
import * as complex from '../numbers/complex.ts';
import { type Complex, real } from '../numbers/complex.ts';
import { exactValue, magnitudeOf } from '../numbers/exact.ts';
import { type Domain, type Point, valueAt } from '../numbers/numeric.ts';
import type { Rational } from '../numbers/rational.ts';
import * as rational from '../numbers/rational.ts';
import { type Expression, some, variablesOf } from '../parse/expression.ts';
import { measuredAt } from './rounding.ts';
import {
  asPoint,
  boundVariables,
  conventionallyWhole,
  dependsOnSign,
  rationalPoints,
  samplePoints,
  wholePoints,
} from './sampling.ts';

/** The fewest points with values of both sides that decide a comparison. */
export const ENOUGH_POINTS = 3;
/** Scales of further points, nearer to 0 and farther, for formulas without values at the usual ones. */
const OTHER_SCALES = [0.25, 8, 60];
/** Below this size doubles lose digits. */
const TINY = 1e-290;
/** Factor on the first-order error bound, by which a value may differ. */
export const SAFETY = 8;

export const isDecimal = (expression: Expression) =>
  some(expression, (node) => node.kind === 'number' && node.places !== null);
const isInfinite = (expression: Expression) =>
  some(expression, (node) => node.kind === 'symbol' && node.name === 'infinity');

/** Two sides to compare; `decimal`: whether either is written with decimals. */
interface Pair {
  truth: Expression;
  answer: Expression;
  decimal: boolean;
  steps: StepBudget;
}

/** Outside this range the significant digits of a decimal count, not its decimal places. */
const [SMALL, LARGE] = [1e-3, 5e3];

/**
 * The largest difference allowed for a decimal, however few digits it has: half of the sixth decimal place, and a
 * hundred-thousandth of the size for small values. Very small and large values need at least six digits.
 */
function widest(size: number, halfDigit: number): number {
  const hasDigits = halfDigit <= 2e-6 * size;
  if (size < SMALL) return hasDigits ? 1e-5 * size : 0;
  return size > LARGE && hasDigits ? Math.max(5e-7, 1e-10 * size) : Math.min(5e-7, 1e-5 * size);
}

/** Rounding error in a decimal that a program printed: 0.30000000000000004. */
const printed = (size: number) => Math.min(1e-12, 1e-15 * size);

/**
 * The difference allowed for the given digits: less than one unit in the last digit of the side with fewer digits,
 * half a unit where both have equally many, but never more than `widest`.
 */
function rounding({ truth, answer, decimal, steps }: Pair, point: Point, size: number): number {
  if (!decimal) return 0;
  const [ours, theirs] = [truth, answer].map((side) => measuredAt(side, point, steps, 'digits').error);
  const [fine, coarse] = [ours ?? 0, theirs ?? 0].sort((a, b) => a - b) as [number, number];
  const digits = fine <= coarse / 5 ? 1.999 * coarse : coarse;
  return Math.max(Math.min(widest(size, coarse), digits), printed(size));
}

/** Compares values outside the range of doubles by sign and logarithm; null where neither side has them. */
function agreeInSize({ truth, answer, steps }: Pair, point: Point): boolean | null {
  const [ours, theirs] = [magnitudeOf(truth, steps, point), magnitudeOf(answer, steps, point)];
  if (ours === null && theirs === null) return null;
  if (ours === null || theirs === null || ours.sign !== theirs.sign) return false;
  const difference = Math.abs(ours.log - theirs.log);
  return difference <= Math.min(1e-13 * Math.abs(ours.log), 1e-3);
}

/** Whether two values at one point are equal up to the rounding of doubles and of decimals. */
function agree(pair: Pair, point: Point, x: Complex, y: Complex): boolean {
  const [size, other] = [complex.magnitude(x), complex.magnitude(y)];
  if (size < TINY && other < TINY) return agreeInSize(pair, point) ?? true;
  const difference = complex.magnitude(complex.subtract(x, y));
  if (difference <= 1e-15 * size) return true;
  const [ours = 0, theirs = 0] = [pair.truth, pair.answer].map(
    (side) => SAFETY * measuredAt(side, point, pair.steps, 'doubles').error,
  );
  // A value that is only rounding error, such as sin π, equals 0 and other such values, but no small number.
  const isSharp = (value: number, error: number) => value > 0 && error <= 1e-3 * value;
  if (difference <= ours + theirs) return isSharp(size, ours) === isSharp(other, theirs);
  return pair.decimal && difference <= rounding(pair, point, size) + ours + theirs;
}

/** Whether two fractions are equal; decimals up to their rounding. */
function agreeExactly(pair: Pair, point: Point, a: Rational, b: Rational): boolean {
  if (rational.equal(a, b, pair.steps)) return true;
  const difference = pair.decimal ? rational.add(a, rational.negate(b), pair.steps) : null;
  if (difference === null) return false;
  const size = Math.abs(rational.toNumber(a));
  if (size < TINY || !Number.isFinite(size)) return false;
  return Math.abs(rational.toNumber(difference)) <= rounding(pair, point, size);
}

const NOWHERE: Point = new Map();

/** Compares values without variables. */
function equalNumbers(pair: Pair): boolean {
  const { truth, answer, steps } = pair;
  const [a, b] = [exactValue(truth, steps), exactValue(answer, steps)];
  if (a && b) return agreeExactly(pair, NOWHERE, a, b);
  const [x, y] = [valueAt(truth, NOWHERE, steps), valueAt(answer, NOWHERE, steps)];
  if (complex.hasValue(x) && complex.hasValue(y)) return agree(pair, NOWHERE, x, y);
  if (isInfinite(truth) || isInfinite(answer))
    return x.re === y.re && isInfinite(truth) && isInfinite(answer);
  return agreeInSize(pair, NOWHERE) ?? false;
}

/** Whether the sides agree at a point; null where one of them has no value there. */
function agreeAt(pair: Pair, point: Point, domain: Domain): boolean | null {
  const x = valueAt(pair.truth, point, pair.steps, domain);
  if (!complex.hasValue(x)) return null;
  const y = valueAt(pair.answer, point, pair.steps, domain);
  return complex.hasValue(y) ? agree(pair, point, x, y) : null;
}

const isPositive = (point: Point) => [...point.values()].every(({ re }) => re > 0);

/**
 * Whether some variable has to be positive for both sides to be real, as b in a√b. Then all variables are taken as
 * positive quantities, and √(a²b) equals a√b. An expression that depends on signs, such as |a|√b, is excluded.
 */
function isOfQuantities(pair: Pair, points: Point[]): boolean {
  if (dependsOnSign(pair.truth) || dependsOnSign(pair.answer)) return false;
  const positive = points.filter((point) => isPositive(point) && agreeAt(pair, point, 'real') !== null);
  const names = [...(points[0]?.keys() ?? [])];
  // Just below 0, where √(x + 1) is still real.
  const below = (point: Point, name: string): Point =>
    new Map([...point, [name, real(-0.01 * (point.get(name)?.re ?? 0))]]);
  const isPositiveAlone = (name: string) =>
    positive.every((point) => agreeAt(pair, below(point, name), 'real') === null);
  return positive.length >= ENOUGH_POINTS && names.some(isPositiveAlone);
}

/** Whether both sides are equal wherever both are real; null where that is at too few points. */
function equalOverReals(pair: Pair, names: string[], whole: ReadonlySet<string>): boolean | null {
  let compared = 0;
  for (const scale of [1, ...OTHER_SCALES]) {
    const points = samplePoints(names, whole, scale);
    let differs = false;
    for (const point of points) {
      const agrees = differs && !isPositive(point) ? null : agreeAt(pair, point, 'real');
      if (agrees === null) continue;
      if (agrees) compared++;
      else if (isPositive(point)) return false;
      else differs = true;
    }
    if (differs && !isOfQuantities(pair, points)) return false;
    if (compared >= ENOUGH_POINTS) return true;
  }
  return null;
}

/** Whether both sides are equal wherever both have a value, on the principal branch. */
function equalOverComplex(pair: Pair, points: Point[]): boolean {
  let compared = 0;
  for (const point of points) {
    const [x, y] = [pair.truth, pair.answer].map((side) => valueAt(side, point, pair.steps));
    if (!x || !y || complex.hasValue(x) !== complex.hasValue(y)) return false;
    if (!complex.hasValue(x)) continue;
    // Where only one side is real, they are on different branches: positive points decide.
    if ((x.im === 0) !== (y.im === 0) && !isPositive(point)) continue;
    if (!agree(pair, point, x, y)) return false;
    compared++;
  }
  return compared >= ENOUGH_POINTS;
}

/** Compares quotients of polynomials in exact arithmetic, where no small term is lost to rounding. */
function equalExactly(pair: Pair, names: string[]): boolean {
  return rationalPoints(names).every((point) => {
    const a = exactValue(pair.truth, pair.steps, point);
    const b = a && exactValue(pair.answer, pair.steps, point);
    return !a || !b || agreeExactly(pair, asPoint(point), a, b);
  });
}

/** Whether both sides are equal for whole numbers, where some variables are whole numbers by convention. */
function equalOverWholes(pair: Pair, names: string[]): boolean {
  const whole = new Set([pair.truth, pair.answer].flatMap((side) => [...conventionallyWhole(side, names)]));
  if (whole.size === 0) return false;
  const points = wholePoints(names, whole);
  const verdicts = points.map((point) => agreeAt(pair, point, 'complex'));
  const known = verdicts.filter((agrees) => agrees !== null);
  return known.length >= points.length / 2 && known.every(Boolean);
}

function equalFunctions(pair: Pair, names: string[]): boolean {
  const bound = new Set([...boundVariables(pair.truth), ...boundVariables(pair.answer)]);
  const overReals = equalOverReals(pair, names, bound);
  const equal = overReals ?? equalOverComplex(pair, samplePoints(names, bound));
  if (equal) return equalExactly(pair, names);
  return equalOverWholes(pair, names);
}

/** Whether two values are equal; formulas with variables are compared at seeded sample points. Errors: OverLimit. */
export function equalValues(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  const names = [...new Set([...variablesOf(truth), ...variablesOf(answer)])].sort();
  const pair = { truth, answer, decimal: isDecimal(truth) || isDecimal(answer), steps };
  return names.length === 0 ? equalNumbers(pair) : equalFunctions(pair, names);
}
