import { type Application, type Expression, type Head, isHead } from './expression.ts';
import type { StepBudget } from './limits.ts';
import type { Rational } from './rational.ts';
import * as rational from './rational.ts';

type Rule = (values: Rational[], steps: StepBudget) => Rational | null;

const HUNDRED: Rational = { n: 100n, d: 1n };

const binary =
  (operation: (a: Rational, b: Rational, steps: StepBudget) => Rational | null): Rule =>
  ([a, b], steps) =>
    a && b ? operation(a, b, steps) : null;

/** Heads whose value is rational where their arguments' are. */
const RULES: Partial<Record<Head, Rule>> = {
  add: binary(rational.add),
  multiply: binary(rational.multiply),
  divide: binary(rational.divide),
  power: binary(rational.power),
  negate: ([a]) => (a ? { n: -a.n, d: a.d } : null),
  percent: ([a], steps) => (a ? rational.divide(a, HUNDRED, steps) : null),
  factorial: ([a], steps) => (a ? rational.factorial(a, steps) : null),
  absolute: ([a]) => (a ? { n: a.n < 0n ? -a.n : a.n, d: a.d } : null),
  ratio: (values, steps) => (values.length === 2 ? binary(rational.divide)(values, steps) : null),
};

function applied({ head, args }: Application, steps: StepBudget): Rational | null {
  const rule = RULES[head];
  if (!rule) return null;
  const values: Rational[] = [];
  for (const arg of args) {
    const value = exactValue(arg, steps);
    if (value === null) return null;
    values.push(value);
  }
  return rule(values, steps);
}

/** The value as a fraction of whole numbers, where it is one within the limits; else null. */
export function exactValue(expression: Expression, steps: StepBudget): Rational | null {
  steps.spend(1);
  if (expression.kind === 'number') return expression.value;
  return expression.kind === 'apply' ? applied(expression, steps) : null;
}

/**
 * ln |value| of products, quotients, powers and factorials of numbers, for values that no double holds;
 * null for everything else.
 */
export function logMagnitude(expression: Expression, steps: StepBudget): number | null {
  steps.spend(1);
  if (expression.kind === 'number') {
    const { n, d } = expression.value;
    const value = Math.abs(rational.toNumber({ n, d }));
    return value > 0 && Number.isFinite(value) ? Math.log(value) : null;
  }
  if (!isHead(expression, 'negate', 'multiply', 'divide', 'power')) return null;
  const [a, b] = expression.args;
  const left = a ? logMagnitude(a, steps) : null;
  if (left === null || isHead(expression, 'negate')) return left;
  if (isHead(expression, 'power')) {
    const exponent = b ? exactValue(b, steps) : null;
    return exponent === null ? null : left * rational.toNumber(exponent);
  }
  const right = b ? logMagnitude(b, steps) : null;
  if (right === null) return null;
  return isHead(expression, 'multiply') ? left + right : left - right;
}
