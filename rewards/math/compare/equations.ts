import type { StepBudget } from '../limits.ts';
import * as complex from '../numbers/complex.ts';
import { real } from '../numbers/complex.ts';
import { exactValue, type RationalPoint } from '../numbers/exact.ts';
import { type Point, valueAt } from '../numbers/numeric.ts';
import type { Rational } from '../numbers/rational.ts';
import * as rational from '../numbers/rational.ts';
import { type Expression, variablesOf } from '../parse/expression.ts';
import { measuredAt, type Source } from './rounding.ts';
import { asPoint, rationalPoints, samplePoints } from './sampling.ts';
import { ENOUGH_POINTS, isDecimal, SAFETY } from './values.ts';

/** Relative difference up to which two ratios count as equal. */
const SAME_RATIO = 1e-8;

/** Two functions of which one may be a multiple of the other. */
interface Multiple {
  f: Expression;
  g: Expression;
  names: string[];
  steps: StepBudget;
}

/** f / g at a point. */
function ratioAt({ f, g, steps }: Multiple, point: Point): complex.Complex {
  return complex.divide(valueAt(f, point, steps), valueAt(g, point, steps));
}

/** A bound of the error of f / g at a point. */
function ratioError({ f, g, steps }: Multiple, point: Point, source: Source): number {
  const [above, below] = [measuredAt(f, point, steps, source), measuredAt(g, point, steps, source)];
  const size = complex.magnitude(below.value);
  return (above.error + (complex.magnitude(above.value) / size) * below.error) / size;
}

/** Whether f / g is constant in exact arithmetic; null where f or g is not a quotient of polynomials. */
function isExactMultiple(multiple: Multiple): boolean | null {
  const { f, g, names, steps } = multiple;
  const decimal = isDecimal(f) || isDecimal(g);
  const found: { ratio: Rational; error: number }[] = [];
  for (const point of rationalPoints(names)) {
    const [a, b] = [exactValue(f, steps, point), exactValue(g, steps, point)];
    if (!a || !b) return null;
    const ratio = rational.divide(a, b, steps);
    if (ratio === null) continue;
    found.push({ ratio, error: decimal ? ratioError(multiple, asPoint(point), 'digits') : 0 });
  }
  const [first, ...others] = found;
  return others.every(({ ratio, error }) => {
    if (!first || rational.equal(ratio, first.ratio, steps)) return true;
    const difference = rational.add(ratio, rational.negate(first.ratio), steps);
    return difference !== null && Math.abs(rational.toNumber(difference)) <= error + first.error;
  });
}

/** The constant c where f = c · g; null where f is not a constant multiple of g. */
export function constantRatio(f: Expression, g: Expression, steps: StepBudget): number | null {
  const names = [...new Set([...variablesOf(f), ...variablesOf(g)])].sort();
  const multiple = { f, g, names, steps };
  const found = samplePoints(names).flatMap((point) => {
    const { re, im } = ratioAt(multiple, point);
    return Number.isFinite(re) && Math.abs(im) < 1e-9 && re !== 0 ? [{ point, ratio: re }] : [];
  });
  const [first] = found;
  if (first === undefined || found.length < ENOUGH_POINTS) return null;
  const apart = found.map(({ ratio }) => Math.abs(ratio - first.ratio));
  if (apart.some((distance) => !(distance <= SAME_RATIO * Math.abs(first.ratio)))) return null;
  const exact = isExactMultiple(multiple);
  if (exact !== null) return exact ? first.ratio : null;
  const noise = (point: Point) =>
    SAFETY * ratioError(multiple, point, 'doubles') + ratioError(multiple, point, 'digits');
  const ofFirst = noise(first.point);
  const same = found.every(({ point }, k) => (apart[k] ?? 0) <= noise(point) + ofFirst);
  return same ? first.ratio : null;
}

/** The zero of f in `name`, with a bound of its error; null where f is not linear in it. */
function zeroOf(f: Expression, name: string, point: Point, steps: StepBudget): [number, number] | null {
  const at = (x: number) => new Map([...point, [name, real(x)]]);
  const [at0 = 0, at1 = 0, at3 = 0] = [0, 1, 3].map((x) => valueAt(f, at(x), steps).re);
  const slope = at1 - at0;
  const straight = Math.abs(at0 + 3 * slope - at3) <= 1e-8 * (Math.abs(at0) + Math.abs(slope));
  if (!straight || !(Math.abs(slope) > 1e-9)) return null;
  return [-at0 / slope, Math.abs(measuredAt(f, at(0), steps, 'doubles').error / slope)];
}

/** The zero in exact arithmetic; null where f is not a quotient of polynomials. */
function exactZeroOf(f: Expression, name: string, point: RationalPoint, steps: StepBudget): Rational | null {
  const at = (n: bigint) => exactValue(f, steps, new Map([...point, [name, { n, d: 1n }]]));
  const [at0, at1] = [at(0n), at(1n)];
  const slope = at0 && at1 && rational.add(at1, rational.negate(at0), steps);
  return at0 && slope && rational.divide(rational.negate(at0), slope, steps);
}

/** Whether f = 0 and g = 0 have the same single solution for some variable, whatever the values of the others. */
export function sameZeros(f: Expression, g: Expression, steps: StepBudget): boolean {
  const names = variablesOf(f);
  if (names.join(' ') !== variablesOf(g).join(' ')) return false;
  const decimal = isDecimal(f) || isDecimal(g);
  const isSame = (name: string) =>
    samplePoints(names).every((point) => {
      const [ours, theirs] = [zeroOf(f, name, point, steps), zeroOf(g, name, point, steps)];
      if (ours === null || theirs === null) return false;
      const [x, error] = ours;
      const [y, otherError] = theirs;
      return Math.abs(x - y) <= SAME_RATIO * Math.abs(x) + SAFETY * (error + otherError);
    });
  // Exact arithmetic shows a small term that doubles lose beside a large one.
  const isExactlySame = (name: string) =>
    decimal ||
    rationalPoints(names).every((point) => {
      const [x, y] = [exactZeroOf(f, name, point, steps), exactZeroOf(g, name, point, steps)];
      return !x || !y || rational.equal(x, y, steps);
    });
  return names.some((name) => isSame(name) && isExactlySame(name));
}
