import * as complex from './complex.ts';
import { type Complex, real } from './complex.ts';
import { exactValue, logMagnitude } from './exact.ts';
import { argsOf, type Expression, isHead, some, variablesOf } from './expression.ts';
import type { StepBudget } from './limits.ts';
import { draw, type Point, valueAt } from './numeric.ts';
import * as rational from './rational.ts';

/** Sample points: the first half positive, the second of either sign. */
const POINTS = 10;
/** Fewer points where both sides have a value decide nothing. */
const ENOUGH_POINTS = 3;

const isDecimal = (expression: Expression) =>
  some(expression, (node) => node.kind === 'number' && node.decimal);
const isInfinite = (expression: Expression) =>
  some(expression, (node) => node.kind === 'symbol' && node.name === 'infinity');

/**
 * Where a decimal is involved: within half of the sixth decimal place, and for small values within a
 * thousandth of their size. Else within 1e-10 of their size, which is double precision after a few steps.
 */
function near(truth: Complex, answer: Complex, decimal: boolean): boolean {
  const size = complex.magnitude(truth);
  const difference = complex.magnitude(complex.subtract(truth, answer));
  const rounding = decimal ? Math.min(5e-7, 1e-3 * size) : 0;
  return difference <= Math.max(rounding, 1e-10 * size, 1e-13);
}

/** Variables that bound a sum: only whole numbers make sense there. */
function wholeVariables(expression: Expression): Set<string> {
  const bounds = isHead(expression, 'sum', 'product') ? expression.args.slice(1, 3).flatMap(variablesOf) : [];
  return new Set([...bounds, ...argsOf(expression).flatMap((arg) => [...wholeVariables(arg)])]);
}

/** The same points for the same names: seeded by them, and by nothing else. */
export function samplePoints(names: string[], whole: ReadonlySet<string> = new Set()): Point[] {
  return Array.from({ length: POINTS }, (_, k) => {
    const point = new Map<string, Complex>();
    for (const name of names) {
      const unit = draw(name, k);
      const sign = k >= POINTS / 2 && draw(`${name} sign`, k) < 0.5 ? -1 : 1;
      point.set(name, real(whole.has(name) ? 3 + Math.floor(5 * unit) : sign * (0.3 + 2.4 * unit)));
    }
    return point;
  });
}

/** Values without variables. */
function equalNumbers(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  const decimal = isDecimal(truth) || isDecimal(answer);
  const [a, b] = [exactValue(truth, steps), exactValue(answer, steps)];
  if (a && b && rational.equal(a, b, steps)) return true;
  if (a && b && !decimal) return false;
  const [x, y] = [valueAt(truth, new Map(), steps), valueAt(answer, new Map(), steps)];
  if (complex.hasValue(x) && complex.hasValue(y)) return near(x, y, decimal);
  if (isInfinite(truth) || isInfinite(answer))
    return x.re === y.re && isInfinite(truth) && isInfinite(answer);
  const [p, q] = [logMagnitude(truth, steps), logMagnitude(answer, steps)];
  return p !== null && q !== null && Math.abs(p - q) <= 1e-13 * Math.abs(p);
}

/** Equal at every sample point where both have a real value. */
function equalFunctions(truth: Expression, answer: Expression, names: string[], steps: StepBudget): boolean {
  const whole = new Set([...wholeVariables(truth), ...wholeVariables(answer)]);
  const decimal = isDecimal(truth) || isDecimal(answer);
  let compared = 0;
  for (const point of samplePoints(names, whole)) {
    const [x, y] = [valueAt(truth, point, steps), valueAt(answer, point, steps)];
    if (complex.hasValue(x) !== complex.hasValue(y)) return false;
    if (!complex.hasValue(x)) continue;
    // Where one is real and the other not, they differ by a branch that the positive points decide on.
    if ((x.im === 0) !== (y.im === 0) && [...point.values()].some(({ re }) => re < 0)) continue;
    const scale = Math.max(1, ...[...point.values()].map(complex.magnitude));
    if (!near(x, y, decimal) && complex.magnitude(complex.subtract(x, y)) > 1e-11 * scale) return false;
    compared++;
  }
  return compared >= ENOUGH_POINTS;
}

/** Equality of numbers, and of formulas in variables by seeded sampling. Errors: OverLimit. */
export function equalValues(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  const [ours, theirs] = [variablesOf(truth), variablesOf(answer)];
  const names = [...new Set([...ours, ...theirs])].sort();
  if (names.length === 0) return equalNumbers(truth, answer, steps);
  return equalFunctions(truth, answer, names, steps);
}

/** f / g at the sample points where neither is 0; null where that is fewer than three of them. */
export function ratios(f: Expression, g: Expression, steps: StepBudget): number[] | null {
  const names = [...new Set([...variablesOf(f), ...variablesOf(g)])].sort();
  const found: number[] = [];
  for (const point of samplePoints(names)) {
    const { re, im } = complex.divide(valueAt(f, point, steps), valueAt(g, point, steps));
    if (Number.isFinite(re) && Math.abs(im) < 1e-9 && re !== 0) found.push(re);
  }
  return found.length >= ENOUGH_POINTS ? found : null;
}

/** Whether f is a constant multiple of g; the constant, or null. */
export function constantRatio(f: Expression, g: Expression, steps: StepBudget): number | null {
  const found = ratios(f, g, steps);
  const [first] = found ?? [];
  if (!found || first === undefined) return null;
  return found.every((ratio) => Math.abs(ratio - first) <= 1e-8 * Math.abs(first)) ? first : null;
}

/** Where f, linear in `name`, vanishes; null where it is not linear in it. */
function zeroOf(f: Expression, name: string, point: Point, steps: StepBudget): number | null {
  const at = (x: number) => valueAt(f, new Map([...point, [name, real(x)]]), steps).re;
  const [at0, at1, at3] = [at(0), at(1), at(3)];
  const slope = at1 - at0;
  const straight = Math.abs(at0 + 3 * slope - at3) <= 1e-8 * (Math.abs(at0) + Math.abs(slope));
  return straight && Math.abs(slope) > 1e-9 ? -at0 / slope : null;
}

/** Whether f = 0 and g = 0 have the same one solution for some variable, whatever the others are. */
export function sameZeros(f: Expression, g: Expression, steps: StepBudget): boolean {
  const names = variablesOf(f);
  if (names.join(' ') !== variablesOf(g).join(' ')) return false;
  return names.some((name) =>
    samplePoints(names).every((point) => {
      const [x, y] = [zeroOf(f, name, point, steps), zeroOf(g, name, point, steps)];
      return x !== null && y !== null && Math.abs(x - y) <= 1e-8 * Math.max(1, Math.abs(x));
    }),
  );
}
