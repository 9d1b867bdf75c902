/** One text for one value: what votes of equal answers are counted by. */
import { createHash } from 'node:crypto';
import type { Complex } from './complex.ts';
import { prepared } from './equality.ts';
import { exactValue } from './exact.ts';
import { argsOf, type Expression, isHead, some, structure, variablesOf } from './expression.ts';
import { StepBudget } from './limits.ts';
import { valueAt } from './numeric.ts';
import { multiply } from './rational.ts';
import { realSet } from './real-set.ts';
import { samplePoints } from './sampling.ts';

/** Digits that are compared of values which no fraction holds. */
const DIGITS = 9;
const LONGEST = 200;

/**
 * The same text for expressions of equal value: 0.5 and \frac12; x = 2 and 2; 1 + x and x + 1; a list in any
 * order. Errors: OverLimit.
 */
export function valueKey(expression: Expression): string {
  return shortened(keyOf(prepared(expression), new StepBudget()));
}

/** A text, or what stands for it where it is long. */
export const shortened = (text: string) =>
  text.length <= LONGEST ? text : createHash('sha256').update(text).digest('hex');

function keyOf(expression: Expression, steps: StepBudget): string {
  steps.spend(1);
  if (expression.kind === 'text') return expression.text.toLowerCase();
  if (isHead(expression, 'relation')) return relationKey(expression, steps);
  const keys = () => argsOf(expression).map((arg) => keyOf(arg, steps));
  if (isHead(expression, 'list') || (isHead(expression, 'set') && expression.name === '')) {
    const distinct = [...new Set(keys())].sort();
    return distinct.length === 1 ? distinct.join() : `{${distinct.join('; ')}}`;
  }
  const [first] = argsOf(expression);
  if (isHead(expression, 'degrees') && first !== undefined) return keyOf(first, steps);
  if (isHead(expression, 'matrix'))
    return `[${expression.args.map((row) => argsOf(row).map((cell) => keyOf(cell, steps))).join(' | ')}]`;
  if (isHead(expression, 'tuple')) return `${expression.name}(${keys().join('; ')})`;
  if (some(expression, (node) => isHead(node, 'interval', 'union', 'intersection', 'difference', 'set')))
    return setKey(expression, steps);
  return scalarKey(expression, steps);
}

/** A solved equation is its value, before ≈ where one stands there; an inequality is its solutions. */
function relationKey(relation: Expression, steps: StepBudget): string {
  const [signs, args] = [relation.kind === 'apply' ? relation.name.split(' ') : [], argsOf(relation)];
  if (!signs.every((sign) => sign === '=' || sign === '~')) return setKey(relation, steps);
  const [left] = args;
  const named = left?.kind === 'symbol' || (left !== undefined && isHead(left, 'call'));
  const constant = left !== undefined && variablesOf(left).length === 0;
  const rounding = signs.indexOf('~');
  const value = rounding > 0 || (rounding === 0 && constant) ? args[rounding] : args.at(-1);
  return value !== undefined && (named || constant) ? keyOf(prepared(value), steps) : structure(relation);
}

function setKey(expression: Expression, steps: StepBudget): string {
  const spans = realSet(expression, steps)?.map(
    ({ low, high, lowOpen, highOpen }) =>
      `${lowOpen ? '(' : '['}${rounded(low.value)}, ${rounded(high.value)}${highOpen ? ')' : ']'}`,
  );
  return spans === undefined ? structure(expression) : `in ${spans.join(' ')}`;
}

/** A fraction where the value is one, else its digits; with variables, its digits at the sample points. */
function scalarKey(expression: Expression, steps: StepBudget): string {
  const value = exactValue(expression, steps);
  // In lowest terms.
  const exact = value && multiply(value, { n: 1n, d: 1n }, steps);
  if (exact !== null) return exact.d === 1n ? `${exact.n}` : `${exact.n}/${exact.d}`;
  const names = variablesOf(expression);
  const values = samplePoints(names)
    .slice(0, names.length === 0 ? 1 : undefined)
    .map((point) => digitsOf(valueAt(expression, point, steps)));
  const known = values.some((value) => !/NaN|Infinity/.test(value));
  return known ? [...names, ...values].join(' ') : structure(expression);
}

const digitsOf = ({ re, im }: Complex) => (im === 0 ? rounded(re) : `${rounded(re)}+${rounded(im)}i`);

/** What lies nearer to 0 than rounding errors is 0. */
const rounded = (value: number) =>
  Math.abs(value) < 1e-12 ? '0' : Number(value.toPrecision(DIGITS)).toString();
