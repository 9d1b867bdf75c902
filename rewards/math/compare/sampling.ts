import { type Complex, real } from '../numbers/complex.ts';
import type { RationalPoint } from '../numbers/exact.ts';
import { draw, type Point } from '../numbers/numeric.ts';
import { toNumber } from '../numbers/rational.ts';
import { argsOf, type Expression, isHead, some, variablesOf } from '../parse/expression.ts';

/** Sample points: the first half positive, the second of either sign. */
const POINTS = 10;
const WHOLE_POINTS = 12;
const EXACT_POINTS = 3;

/** Variables in the bounds of a sum or product, which must be whole numbers. */
export function boundVariables(expression: Expression): Set<string> {
  const bounds = isHead(expression, 'sum', 'product') ? expression.args.slice(1, 3).flatMap(variablesOf) : [];
  return new Set([...bounds, ...argsOf(expression).flatMap((arg) => [...boundVariables(arg)])]);
}

/** Covers every pattern of signs of two names: |ab| must differ from ab at some point. */
function signOf(name: string, index: number, k: number): 1 | -1 {
  if (k < POINTS / 2) return 1;
  if (k === 5) return -1;
  if (k === 6 || k === 7) return (index + k) % 2 === 0 ? 1 : -1;
  return draw(`${name} sign`, k) < 0.5 ? -1 : 1;
}

/** Sample points, seeded by the names alone: the same names have the same points. */
export function samplePoints(names: string[], whole: ReadonlySet<string> = new Set(), scale = 1): Point[] {
  return Array.from({ length: POINTS }, (_, k) => {
    const point = new Map<string, Complex>();
    for (const [index, name] of names.entries()) {
      const unit = draw(name, k);
      // One point near 0, where √(x + 1) is real for negative x too.
      const near = k === 5 ? 0.1 : 1;
      const value = scale * near * signOf(name, index, k) * (0.3 + 2.4 * unit);
      point.set(name, real(whole.has(name) ? 3 + Math.floor(5 * unit) : value));
    }
    return point;
  });
}

/** Points where some names are whole numbers, odd and even, in every pattern for three of them. */
export function wholePoints(names: string[], whole: ReadonlySet<string>): Point[] {
  const wholeNames = names.filter((name) => whole.has(name));
  return samplePoints(names, new Set(), 1)
    .concat(samplePoints(names, new Set(), 2))
    .slice(0, WHOLE_POINTS)
    .map((point, k) => {
      const moved = new Map(point);
      for (const [index, name] of wholeNames.entries()) {
        const even = 2 + 2 * Math.floor(4 * draw(`${name} whole`, k));
        const sign = k >= 8 && draw(`${name} sign`, k) < 0.5 ? -1 : 1;
        moved.set(name, real(sign * (even - ((k >> (index % 3)) & 1))));
      }
      return moved;
    });
}

/** Positive points whose coordinates are fractions. */
export function rationalPoints(names: string[]): RationalPoint[] {
  return Array.from(
    { length: EXACT_POINTS },
    (_, k) =>
      new Map(names.map((name) => [name, { n: BigInt(31 + Math.floor(900 * draw(name, 50 + k))), d: 101n }])),
  );
}

export const asPoint = (point: RationalPoint): Point =>
  new Map([...point].map(([name, value]) => [name, real(toNumber(value))]));

/** Letters that are whole numbers by convention, with or without an index. */
const WHOLE = /^[jklmnN](?:'|_.*)?$/;

const TRIGONOMETRIC = new Set(['sin', 'cos', 'tan', 'cot', 'sec', 'csc']);

/**
 * The names that are whole numbers by convention, where that matters for the value: (−1)^n, cos nπ, ⌊n/2⌋. Empty
 * for expressions without such a part.
 */
export function conventionallyWhole(expression: Expression, names: readonly string[]): Set<string> {
  const whole = new Set(names.filter((name) => WHOLE.test(name)));
  if (whole.size === 0) return whole;
  const has = (node: Expression | undefined, ...symbols: string[]) =>
    node !== undefined && some(node, (each) => each.kind === 'symbol' && symbols.includes(each.name));
  const decides = (node: Expression): boolean => {
    if (isHead(node, 'power')) {
      const [base, exponent] = node.args;
      const turns =
        base && (some(base, (each) => isHead(each, 'negate')) || has(base, 'i') || has(exponent, 'i'));
      return turns === true && has(exponent, ...whole);
    }
    if (!isHead(node, 'function') || !has(node, ...whole)) return false;
    return node.name === 'floor' || node.name === 'ceil' || (TRIGONOMETRIC.has(node.name) && has(node, 'pi'));
  };
  return some(expression, decides) ? whole : new Set();
}

/** Whether some part treats positive and negative numbers differently: |x|, max, ⌊x⌋. */
export const dependsOnSign = (expression: Expression): boolean =>
  some(
    expression,
    (node) =>
      isHead(node, 'absolute') ||
      (isHead(node, 'function') && /^(?:abs|max|min|floor|ceil)$/.test(node.name)),
  );
