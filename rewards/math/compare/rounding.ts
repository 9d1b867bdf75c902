import type { StepBudget } from '../limits.ts';
import type { Complex } from '../numbers/complex.ts';
import * as complex from '../numbers/complex.ts';
import { applied, leafValue, type Point, valueAt } from '../numbers/numeric.ts';
import { type Application, type Expression, isHead } from '../parse/expression.ts';

/** A value, and a bound of its error. */
export interface Measured {
  value: Complex;
  error: number;
}

const EPSILON = 2 ** -52;
/** Relative error of sums, products and Γ, whose single steps are not tracked. */
const COARSE = 1e-12;

/** The source of a written number's error: its storage as a double, or the rounding of its last digit. */
export type Source = 'doubles' | 'digits';

/** Half a unit of a decimal's last digit; 0 for whole numbers and fractions. */
const halfDigit = (places: number | null) => (places === null ? 0 : 0.5 * 10 ** places);

function leaf(expression: Expression, point: Point, source: Source): Measured | null {
  const value = leafValue(expression, point);
  if (value === null) return null;
  const given =
    expression.kind === 'number' || !point.has(expression.kind === 'symbol' ? expression.name : '');
  const size = complex.magnitude(value);
  if (source === 'digits')
    return { value, error: expression.kind === 'number' ? halfDigit(expression.places) : 0 };
  return { value, error: given && !Number.isSafeInteger(value.re) ? EPSILON * size : 0 };
}

/** How much the value changes when each argument changes by its error: a first-order bound without derivatives. */
function sensitivity(expression: Application, args: Measured[], value: Complex): number {
  let total = 0;
  for (const [i, { value: own, error }] of args.entries()) {
    if (error === 0) continue;
    const moved = [error, -error].map((step) => {
      const values = args.map((arg, j) => (i === j ? { re: own.re + step, im: own.im } : arg.value));
      return complex.magnitude(complex.subtract(applied(expression, values), value));
    });
    const known = moved.filter(Number.isFinite);
    // At the edge of a domain, such as arcsin 1, the change is the square root of the error.
    total += known.length === moved.length ? Math.max(...known) : Math.max(Math.sqrt(error), ...known);
  }
  return total;
}

function ofApplication(expression: Application, args: Measured[], source: Source): Measured {
  const value = applied(
    expression,
    args.map((arg) => arg.value),
  );
  const size = complex.magnitude(value);
  const own =
    source === 'doubles' ? (isHead(expression, 'factorial', 'binomial') ? COARSE : 2 * EPSILON) * size : 0;
  const [a, b] = args;
  if (!a) return { value, error: own };
  if (isHead(expression, 'negate', 'absolute', 'quantity')) return { value, error: a.error };
  if (!b) return { value, error: own + sensitivity(expression, args, value) };
  if (isHead(expression, 'add')) return { value, error: own + a.error + b.error };
  const [left, right] = [complex.magnitude(a.value), complex.magnitude(b.value)];
  if (isHead(expression, 'multiply')) return { value, error: own + left * b.error + right * a.error };
  if (isHead(expression, 'divide')) return { value, error: own + (a.error + size * b.error) / right };
  return { value, error: own + sensitivity(expression, args, value) };
}

/** The value at a point with a first-order bound of its error. Errors: OverLimit. */
export function measuredAt(
  expression: Expression,
  point: Point,
  steps: StepBudget,
  source: Source,
): Measured {
  steps.spend(2);
  if (expression.kind !== 'apply') {
    return leaf(expression, point, source) ?? { value: complex.real(Number.NaN), error: 0 };
  }
  if (isHead(expression, 'sum', 'product')) {
    const value = valueAt(expression, point, steps);
    return { value, error: source === 'doubles' ? COARSE * (1 + complex.magnitude(value)) : 0 };
  }
  const args = expression.args.map((arg) => measuredAt(arg, point, steps, source));
  return ofApplication(expression, args, source);
}
