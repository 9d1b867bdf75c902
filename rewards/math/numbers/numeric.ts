import type { StepBudget } from '../limits.ts';
import { type Application, type Expression, type Head, isHead } from '../parse/expression.ts';
import * as complex from './complex.ts';
import { type Complex, real } from './complex.ts';
import { toNumber } from './rational.ts';

/** Values of the variables at one sample point. */
export type Point = ReadonlyMap<string, Complex>;

const CONSTANT_VALUES: Record<string, Complex> = {
  pi: real(Math.PI),
  e: real(Math.E),
  i: { re: 0, im: 1 },
  infinity: real(Number.POSITIVE_INFINITY),
};

const NOT_A_VALUE = real(Number.NaN);
const ONE = real(1);
const I: Complex = { re: 0, im: 1 };

/** FNV-1a: a seed for each name, the same on every machine. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return state;
}

/** A number in [0, 1) from a name and a counter: a random draw without state (the mixer of MurmurHash3). */
export function draw(name: string, counter: number): number {
  let h = (hash(name) ^ Math.imul(counter + 1, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** A smooth function of its arguments that depends only on its name: f(x + x) equals f(2x), not g(2x). */
function unknownFunction(name: string, args: Complex[]): Complex {
  const terms = args.flatMap(({ re, im }, i) =>
    [0, 1, 2].map((k) => {
      const [rate, phase] = [0.3 + draw(`${name} ${i}`, 2 * k), 6 * draw(`${name} ${i}`, 2 * k + 1)];
      return Math.sin(rate * re + phase) + im * rate;
    }),
  );
  return real(terms.reduce((sum, term) => sum + term, 1 + draw(name, args.length)));
}

const part =
  (operation: (x: number) => number) =>
  ([a = NOT_A_VALUE]: Complex[]): Complex =>
    a.im === 0 ? real(operation(a.re)) : NOT_A_VALUE;

const quotient = (top: (a: Complex) => Complex, bottom: (a: Complex) => Complex) => (values: Complex[]) => {
  const [a = NOT_A_VALUE] = values;
  return complex.divide(top(a), bottom(a));
};
const one = () => ONE;
const logarithm = ([a = NOT_A_VALUE, base]: Complex[]) =>
  base ? complex.divide(complex.log(a), complex.log(base)) : complex.log(a);

/** sin⁻¹ and cos⁻¹ have no value outside [−1, 1]. */
const FUNCTIONS: Record<string, (values: Complex[]) => Complex> = {
  sin: ([a = NOT_A_VALUE]) => complex.sin(a),
  cos: ([a = NOT_A_VALUE]) => complex.cos(a),
  tan: quotient(complex.sin, complex.cos),
  cot: quotient(complex.cos, complex.sin),
  sec: quotient(one, complex.cos),
  csc: quotient(one, complex.sin),
  arcsin: part(Math.asin),
  asin: part(Math.asin),
  arccos: part(Math.acos),
  acos: part(Math.acos),
  arctan: part(Math.atan),
  atan: part(Math.atan),
  arccot: part((x) => Math.PI / 2 - Math.atan(x)),
  sinh: part(Math.sinh),
  cosh: part(Math.cosh),
  tanh: part(Math.tanh),
  coth: part((x) => 1 / Math.tanh(x)),
  ln: logarithm,
  log: logarithm,
  lg: ([a = NOT_A_VALUE]) => complex.divide(complex.log(a), real(Math.LN10)),
  exp: ([a = NOT_A_VALUE]) => complex.exp(a),
  floor: part((x) => Math.floor(x + 1e-12)),
  ceil: part((x) => Math.ceil(x - 1e-12)),
  abs: ([a = NOT_A_VALUE]) => real(complex.magnitude(a)),
  max: (values) => real(Math.max(...values.map(({ re }) => re))),
  min: (values) => real(Math.min(...values.map(({ re }) => re))),
};

/** Real roots of odd index of a negative number are real: ∛−8 = −2. */
function root([radicand = NOT_A_VALUE, index = NOT_A_VALUE]: Complex[]): Complex {
  const odd = index.im === 0 && Math.abs(index.re % 2) === 1;
  if (odd && radicand.im === 0 && radicand.re < 0) return real(-((-radicand.re) ** (1 / index.re)));
  if (index.re === 2 && index.im === 0 && radicand.im === 0) {
    return radicand.re < 0 ? { re: 0, im: Math.sqrt(-radicand.re) } : real(Math.sqrt(radicand.re));
  }
  return complex.power(radicand, complex.divide(ONE, index));
}

/** n!; NaN for negative whole numbers. */
const factorial = (x: number) => (Number.isInteger(x) && x < 0 ? Number.NaN : complex.gamma(x + 1));

/** Longer products are computed with Γ. */
const LONGEST_BINOMIAL = 200;

/** (n over k) as a product where k is whole, else as Γ(n+1) / (Γ(k+1) Γ(n−k+1)). */
function binomial([n = NOT_A_VALUE, k = NOT_A_VALUE]: Complex[]): Complex {
  if (n.im !== 0 || k.im !== 0) return NOT_A_VALUE;
  if (!Number.isInteger(k.re) || k.re < 0 || k.re > LONGEST_BINOMIAL) {
    return real(complex.gamma(n.re + 1) / (complex.gamma(k.re + 1) * complex.gamma(n.re - k.re + 1)));
  }
  let product = 1;
  for (let i = 0; i < k.re; i++) product *= (n.re - i) / (i + 1);
  return real(product);
}

const RULES: Partial<Record<Head, (values: Complex[], name: string) => Complex>> = {
  add: ([a = NOT_A_VALUE, b = NOT_A_VALUE]) => complex.add(a, b),
  multiply: ([a = NOT_A_VALUE, b = NOT_A_VALUE]) => complex.multiply(a, b),
  divide: ([a = NOT_A_VALUE, b = NOT_A_VALUE]) => complex.divide(a, b),
  negate: ([a = NOT_A_VALUE]) => complex.negate(a),
  power: ([a = NOT_A_VALUE, b = NOT_A_VALUE]) => complex.power(a, b),
  root,
  percent: ([a = NOT_A_VALUE]) => complex.divide(a, real(100)),
  degrees: ([a = NOT_A_VALUE]) => complex.multiply(a, real(Math.PI / 180)),
  quantity: ([a = NOT_A_VALUE]) => a,
  factorial: part(factorial),
  absolute: ([a = NOT_A_VALUE]) => real(complex.magnitude(a)),
  binomial,
  ratio: (values) => (values.length === 2 ? complex.divide(values[0] ?? I, values[1] ?? I) : NOT_A_VALUE),
  function: (values, name) => FUNCTIONS[name]?.(values) ?? unknownFunction(name, values),
  call: (values, name) => unknownFunction(name, values),
};

/** The value of one application, given the values of its arguments; not finite where it has none. */
export function applied({ head, name }: Application, values: Complex[]): Complex {
  return RULES[head]?.(values, name) ?? NOT_A_VALUE;
}

function iterated({ head, args }: Application, point: Point, steps: StepBudget, domain: Domain): Complex {
  const [index, from, to, body] = args;
  if (index?.kind !== 'symbol' || !from || !to || !body) return NOT_A_VALUE;
  const [first, last] = [valueAt(from, point, steps).re, valueAt(to, point, steps).re];
  if (!Number.isInteger(first) || !Number.isFinite(last)) return NOT_A_VALUE;
  let total = real(head === 'sum' ? 0 : 1);
  for (let k = first; k <= last; k++) {
    steps.spend(5);
    const term = valueAt(body, new Map([...point, [index.name, real(k)]]), steps, domain);
    total = head === 'sum' ? complex.add(total, term) : complex.multiply(total, term);
  }
  return total;
}

/** `real`: a value is complex only where the expression contains i; the root of a negative number has no value. */
export type Domain = 'real' | 'complex';

/** The value of a leaf; null for an application. */
export function leafValue(expression: Expression, point: Point): Complex | null {
  if (expression.kind === 'number') return real(toNumber(expression.value));
  if (expression.kind === 'symbol') {
    return point.get(expression.name) ?? CONSTANT_VALUES[expression.name] ?? NOT_A_VALUE;
  }
  return expression.kind === 'text' ? NOT_A_VALUE : null;
}

/** The value at a point; not finite where it has none. Errors: OverLimit. */
export function valueAt(
  expression: Expression,
  point: Point,
  steps: StepBudget,
  domain: Domain = 'complex',
): Complex {
  steps.spend(1);
  if (expression.kind !== 'apply') return leafValue(expression, point) ?? NOT_A_VALUE;
  if (isHead(expression, 'sum', 'product')) return iterated(expression, point, steps, domain);
  const values = expression.args.map((arg) => valueAt(arg, point, steps, domain));
  const value = applied(expression, values);
  const leaves = domain === 'real' && value.im !== 0 && values.every(({ im }) => im === 0);
  return leaves ? NOT_A_VALUE : value;
}
