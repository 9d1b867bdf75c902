/** One text per value, by which equal answers are counted as votes. */
import { createHash } from 'node:crypto';
import { StepBudget } from '../limits.ts';
import type { Complex } from '../numbers/complex.ts';
import { exactValue } from '../numbers/exact.ts';
import { valueAt } from '../numbers/numeric.ts';
import { multiply } from '../numbers/rational.ts';
import { realSet } from '../numbers/real-set.ts';
import { argsOf, type Expression, isHead, some, structure, variablesOf } from '../parse/expression.ts';
import { prepared } from './equality.ts';
import { samplePoints } from './sampling.ts';

/** Significant digits of the keys of irrational values. */
const DIGITS = 9;
const LONGEST = 200;

/**
 * The same text for expressions of equal value: 0.5 and \frac12; x = 2 and 2; 1 + x and x + 1; a list in any
 * order. Errors: OverLimit.
 */
export function valueKey(expression: Expression): string {
  return shortened(keyOf(prepared(expression), new StepBudget()));
}

/** The text itself; its SHA-256 where it is long. */
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

/** The key of a solved equation is its value, the side before ≈ if there is one; of an inequality, its solutions. */
function relationKey(relation: Expression, steps: StepBudget): string {
  const [operators, args] = [relation.kind === 'apply' ? relation.name.split(' ') : [], argsOf(relation)];
  if (!operators.every((operator) => operator === '=' || operator === '~')) return setKey(relation, steps);
  const [left] = args;
  const named = left?.kind === 'symbol' || (left !== undefined && isHead(left, 'call'));
  const constant = left !== undefined && variablesOf(left).length === 0;
  const rounding = operators.indexOf('~');
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

/**
 * The key of a rational value is its fraction; of another, its digits; with variables, its digits at sample points.
 */
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

/** Values below the size of rounding errors are 0. */
const rounded = (value: number) =>
  Math.abs(value) < 1e-12 ? '0' : Number(value.toPrecision(DIGITS)).toString();
