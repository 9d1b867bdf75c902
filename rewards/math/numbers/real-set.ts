import { equalValues } from '../compare/values.ts';
import type { StepBudget } from '../limits.ts';
import { apply, type Expression, integer, isHead, mapArgs, variablesOf } from '../parse/expression.ts';
import { valueAt } from './numeric.ts';

/** An end of an interval: its value as a double, and the exact expression. */
interface End {
  value: number;
  source: Expression;
}

/** An interval of the real line; a point where low equals high. */
interface Span {
  low: End;
  high: End;
  lowOpen: boolean;
  highOpen: boolean;
}

/** Disjoint spans, ascending. */
export type RealSet = readonly Span[];

const INFINITY: Expression = { kind: 'symbol', name: 'infinity' };
const TOP: End = { value: Number.POSITIVE_INFINITY, source: INFINITY };
const BOTTOM: End = { value: Number.NEGATIVE_INFINITY, source: apply('negate', [INFINITY]) };
const ALL: RealSet = [{ low: BOTTOM, high: TOP, lowOpen: true, highOpen: true }];

/** Whether two ends are equal up to the rounding of doubles. */
const meets = (a: End, b: End) => Math.abs(a.value - b.value) <= 1e-12 * Math.abs(a.value);

function tidy(spans: Span[]): RealSet {
  const kept = spans
    .filter(
      ({ low, high, lowOpen, highOpen }) =>
        low.value < high.value || (meets(low, high) && !lowOpen && !highOpen),
    )
    .map((span) => ({
      ...span,
      lowOpen: span.lowOpen || span.low.value === BOTTOM.value,
      highOpen: span.highOpen || span.high.value === TOP.value,
    }))
    .sort((a, b) => a.low.value - b.low.value || Number(a.lowOpen) - Number(b.lowOpen));
  const merged: Span[] = [];
  for (const span of kept) {
    const last = merged.at(-1);
    const touches =
      last &&
      (span.low.value < last.high.value ||
        (span.low.value === last.high.value && !(span.lowOpen && last.highOpen)));
    if (!touches) merged.push({ ...span });
    else if (span.high.value > last.high.value || (span.high.value === last.high.value && !span.highOpen)) {
      last.high = span.high;
      last.highOpen = span.highOpen;
    }
  }
  return merged;
}

const union = (a: RealSet, b: RealSet) => tidy([...a, ...b]);

function intersection(a: RealSet, b: RealSet): RealSet {
  const spans = a.flatMap((x) =>
    b.map((y) => ({
      low: x.low.value >= y.low.value ? x.low : y.low,
      high: x.high.value <= y.high.value ? x.high : y.high,
      lowOpen: (x.low.value >= y.low.value && x.lowOpen) || (y.low.value >= x.low.value && y.lowOpen),
      highOpen: (x.high.value <= y.high.value && x.highOpen) || (y.high.value <= x.high.value && y.highOpen),
    })),
  );
  return tidy(spans);
}

function complement(a: RealSet): RealSet {
  let [low, lowOpen] = [BOTTOM, true];
  const gaps: Span[] = [];
  for (const span of a) {
    gaps.push({ low, lowOpen, high: span.low, highOpen: !span.lowOpen });
    [low, lowOpen] = [span.high, !span.highOpen];
  }
  return tidy([...gaps, { low, lowOpen, high: TOP, highOpen: true }]);
}

const sameEnd = (a: End, b: End, steps: StepBudget) =>
  Number.isFinite(a.value) && Number.isFinite(b.value)
    ? equalValues(a.source, b.source, steps)
    : a.value === b.value;

export function equalSets(a: RealSet, b: RealSet, steps: StepBudget): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => {
      const y = b[i];
      if (!y || x.lowOpen !== y.lowOpen || x.highOpen !== y.highOpen) return false;
      return sameEnd(x.low, y.low, steps) && sameEnd(x.high, y.high, steps);
    })
  );
}

/** The one real value of an expression without variables; else null. */
function realEnd(source: Expression, steps: StepBudget): End | null {
  if (variablesOf(source).length > 0) return null;
  const { re, im } = valueAt(source, new Map(), steps);
  return Number.isNaN(re) || Math.abs(im) > 1e-12 ? null : { value: re, source };
}

function span(ends: Expression[], lowOpen: boolean, highOpen: boolean, steps: StepBudget): RealSet | null {
  const [low, high] = ends.map((end) => realEnd(end, steps));
  if (!low || !high || low.value > high.value) return null;
  // The doubles are equal, but the exact ends are not.
  if (low.value === high.value && !equalValues(low.source, high.source, steps)) return null;
  return tidy([{ low, high, lowOpen, highOpen }]);
}

const FLIPPED: Record<string, string> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=', '=': '=', '!=': '!=' };

const pointAt = (end: End): Span => ({ low: end, high: end, lowOpen: false, highOpen: false });

/** {x | x `operator` bound}. */
function halfLine(operator: string, bound: End): RealSet | null {
  if (operator === '=') return [pointAt(bound)];
  if (operator === '!=') return complement([pointAt(bound)]);
  const open = operator === '<' || operator === '>';
  if (operator === '<' || operator === '<=') {
    return tidy([{ low: BOTTOM, lowOpen: true, high: bound, highOpen: open }]);
  }
  if (operator === '>' || operator === '>=') {
    return tidy([{ low: bound, lowOpen: open, high: TOP, highOpen: true }]);
  }
  return null;
}

const mirrored = ({ value, source }: End): End => ({ value: -value, source: apply('negate', [source]) });

/** {z | |z| ∈ set}. */
function absolutePreimage(set: RealSet): RealSet {
  const zero: End = { value: 0, source: integer(0n) };
  const positive = intersection(set, [{ low: zero, lowOpen: false, high: TOP, highOpen: true }]);
  const negative = positive.map(({ low, high, lowOpen, highOpen }) => ({
    low: mirrored(high),
    high: mirrored(low),
    lowOpen: highOpen,
    highOpen: lowOpen,
  }));
  return tidy([...positive, ...negative]);
}

/** The expression with a name replaced by a value. */
function substituted(expression: Expression, name: string, value: Expression): Expression {
  if (expression.kind === 'symbol') return expression.name === name ? value : expression;
  return mapArgs(expression, (arg) => substituted(arg, name, value));
}

const minus = (a: Expression, b: Expression) => apply('add', [a, apply('negate', [b])]);

/** Where a side that is linear in its only variable equals the bound; `falls`: whether its slope is negative. */
function solution(side: Expression, bound: End, steps: StepBudget): { end: End; falls: boolean } | null {
  const [name, ...others] = variablesOf(side);
  if (name === undefined || others.length > 0) return null;
  const [at0 = 0, at1 = 0, at3 = 0] = [0, 1, 3].map(
    (re) => valueAt(side, new Map([[name, { re, im: 0 }]]), steps).re,
  );
  const slope = at1 - at0;
  const straight = Math.abs(at0 + 3 * slope - at3) <= 1e-9 * (Math.abs(at0) + Math.abs(at3));
  if (!straight || slope === 0) return null;
  const [start, next] = [0n, 1n].map((x) => substituted(side, name, integer(x)));
  if (!start || !next) return null;
  const source = apply('divide', [minus(bound.source, start), minus(next, start)]);
  return { end: { value: (bound.value - at0) / slope, source }, falls: slope < 0 };
}

/**
 * The values of the side's variable that satisfy `side operator bound`; of the side itself where it is f(x) or f(2).
 */
function solve(side: Expression, operator: string, bound: End, steps: StepBudget): RealSet | null {
  if (isHead(side, 'absolute')) {
    const set = halfLine(operator, bound);
    return set && absolutePreimage(set);
  }
  if (side.kind === 'symbol' || isHead(side, 'call')) return halfLine(operator, bound);
  const solved = solution(side, bound, steps);
  if (solved === null) return null;
  return halfLine(solved.falls ? (FLIPPED[operator] ?? operator) : operator, solved.end);
}

function ofRelation(relation: Expression, steps: StepBudget): RealSet | null {
  if (!isHead(relation, 'relation')) return null;
  const operators = relation.name.split(' ');
  let set: RealSet | null = ALL;
  for (const [i, operator] of operators.entries()) {
    const [left, right] = [relation.args[i], relation.args[i + 1]];
    if (!left || !right) return null;
    if (operator === 'in') return realSet(right, steps);
    const [low, high] = [realEnd(left, steps), realEnd(right, steps)];
    let part: RealSet | null = null;
    if (high !== null && low === null) part = solve(left, operator, high, steps);
    else if (low !== null && high === null) part = solve(right, FLIPPED[operator] ?? operator, low, steps);
    if (part === null) return null;
    set = intersection(set, part);
  }
  return set;
}

/** x < 0, x > 1 is a union; x > 0, x < 5 is an intersection, since its union would be all real numbers. */
function ofConditions(conditions: Expression[], steps: StepBudget): RealSet | null {
  const sets = conditions.map((condition) => ofRelation(condition, steps));
  const known = sets.filter((set) => set !== null);
  if (known.length < sets.length) return null;
  const all = known.reduce(union, []);
  return equalSets(all, ALL, steps) ? known.reduce(intersection, ALL) : all;
}

function points(elements: Expression[], steps: StepBudget): RealSet | null {
  const ends = elements.map((element) => realEnd(element, steps)).filter((end) => end !== null);
  return ends.length < elements.length ? null : tidy(ends.map(pointAt));
}

/** The set of real numbers that an expression or a condition on one variable describes; null for anything else. */
export function realSet(expression: Expression, steps: StepBudget): RealSet | null {
  if (expression.kind === 'symbol') {
    if (expression.name === 'reals') return ALL;
    return expression.name === 'emptyset' ? [] : null;
  }
  if (expression.kind !== 'apply') return null;
  const { head, args, name } = expression;
  if (head === 'tuple' && args.length === 2 && name === '()') return span(args, true, true, steps);
  if (head === 'interval') return span(args, name.startsWith('('), name.endsWith(')'), steps);
  if (head === 'relation') return ofRelation(expression, steps);
  if (head === 'list') return ofConditions(args, steps);
  if (head === 'set' && name === 'where') {
    const [condition] = args;
    return ofConditions(condition && isHead(condition, 'list') ? condition.args : args, steps);
  }
  if (head === 'set') return points(args, steps);
  if (head === 'union' || head === 'intersection' || head === 'difference') {
    const [a, b] = args.map((arg) => realSet(arg, steps));
    if (!a || !b) return null;
    if (head === 'union') return union(a, b);
    return intersection(a, head === 'intersection' ? b : complement(b));
  }
  return null;
}
