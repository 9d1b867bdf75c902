import { type Expression, isHead, variablesOf } from './expression.ts';
import type { StepBudget } from './limits.ts';
import { valueAt } from './numeric.ts';

/** An interval of the real line; a point where low equals high. */
interface Span {
  low: number;
  high: number;
  lowOpen: boolean;
  highOpen: boolean;
}

/** Spans apart from each other, ascending. */
export type RealSet = readonly Span[];

const INFINITE = Number.POSITIVE_INFINITY;
const ALL: RealSet = [{ low: -INFINITE, high: INFINITE, lowOpen: true, highOpen: true }];

/** Ends count as equal within half of the sixth decimal place, or 1e-9 of their size. */
const near = (a: number, b: number) => a === b || Math.abs(a - b) <= Math.max(5e-7, 1e-9 * Math.abs(a));

function tidy(spans: Span[]): RealSet {
  const kept = spans
    .filter(({ low, high, lowOpen, highOpen }) => low < high || (near(low, high) && !lowOpen && !highOpen))
    .map((span) => ({
      ...span,
      lowOpen: span.lowOpen || span.low === -INFINITE,
      highOpen: span.highOpen || span.high === INFINITE,
    }))
    .sort((a, b) => a.low - b.low || Number(a.lowOpen) - Number(b.lowOpen));
  const merged: Span[] = [];
  for (const span of kept) {
    const last = merged.at(-1);
    const touches =
      last && (span.low < last.high || (span.low === last.high && !(span.lowOpen && last.highOpen)));
    if (!touches) merged.push({ ...span });
    else if (span.high > last.high || (span.high === last.high && !span.highOpen)) {
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
      low: Math.max(x.low, y.low),
      high: Math.min(x.high, y.high),
      lowOpen: (x.low >= y.low && x.lowOpen) || (y.low >= x.low && y.lowOpen),
      highOpen: (x.high <= y.high && x.highOpen) || (y.high <= x.high && y.highOpen),
    })),
  );
  return tidy(spans);
}

function complement(a: RealSet): RealSet {
  let [low, lowOpen] = [-INFINITE, true];
  const gaps: Span[] = [];
  for (const span of a) {
    gaps.push({ low, lowOpen, high: span.low, highOpen: !span.lowOpen });
    [low, lowOpen] = [span.high, !span.highOpen];
  }
  return tidy([...gaps, { low, lowOpen, high: INFINITE, highOpen: true }]);
}

export function equalSets(a: RealSet, b: RealSet): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => {
      const y = b[i];
      if (!y || x.lowOpen !== y.lowOpen || x.highOpen !== y.highOpen) return false;
      return near(x.low, y.low) && near(x.high, y.high);
    })
  );
}

/** The one real value of an expression without variables; else null. */
function realValue(expression: Expression, steps: StepBudget): number | null {
  if (variablesOf(expression).length > 0) return null;
  const { re, im } = valueAt(expression, new Map(), steps);
  return Number.isNaN(re) || Math.abs(im) > 1e-12 ? null : re;
}

function span(ends: Expression[], lowOpen: boolean, highOpen: boolean, steps: StepBudget): RealSet | null {
  const [low, high] = ends.map((end) => realValue(end, steps));
  if (typeof low !== 'number' || typeof high !== 'number' || low > high) return null;
  return tidy([{ low, high, lowOpen, highOpen }]);
}

const FLIPPED: Record<string, string> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=', '=': '=', '!=': '!=' };

/** {x | x `operator` bound}. */
function halfLine(operator: string, bound: number): RealSet | null {
  const point: Span = { low: bound, high: bound, lowOpen: false, highOpen: false };
  if (operator === '=') return [point];
  if (operator === '!=') return complement([point]);
  const open = operator === '<' || operator === '>';
  if (operator === '<' || operator === '<=') {
    return tidy([{ low: -INFINITE, lowOpen: true, high: bound, highOpen: open }]);
  }
  if (operator === '>' || operator === '>=') {
    return tidy([{ low: bound, lowOpen: open, high: INFINITE, highOpen: true }]);
  }
  return null;
}

/** {z | |z| ∈ set}. */
function absolutePreimage(set: RealSet): RealSet {
  const positive = intersection(set, [{ low: 0, lowOpen: false, high: INFINITE, highOpen: true }]);
  const mirrored = positive.map(({ low, high, lowOpen, highOpen }) => ({
    low: -high,
    high: -low,
    lowOpen: highOpen,
    highOpen: lowOpen,
  }));
  return tidy([...positive, ...mirrored]);
}

/** [value at 0, slope] where the side is linear in its only variable. */
function linear(side: Expression, steps: StepBudget): [number, number] | null {
  const [name, ...others] = variablesOf(side);
  if (name === undefined || others.length > 0) return null;
  const [at0 = 0, at1 = 0, at3 = 0] = [0, 1, 3].map(
    (re) => valueAt(side, new Map([[name, { re, im: 0 }]]), steps).re,
  );
  const slope = at1 - at0;
  return Math.abs(at0 + 3 * slope - at3) <= 1e-9 && slope !== 0 ? [at0, slope] : null;
}

/** What `side operator bound` leaves of the side's variable, or of the side where it is f(x) or f(2). */
function solve(side: Expression, operator: string, bound: number, steps: StepBudget): RealSet | null {
  if (isHead(side, 'absolute')) {
    const set = halfLine(operator, bound);
    return set && absolutePreimage(set);
  }
  if (side.kind === 'symbol' || isHead(side, 'call')) return halfLine(operator, bound);
  const line = linear(side, steps);
  if (line === null) return null;
  const [at0, slope] = line;
  return halfLine(slope < 0 ? (FLIPPED[operator] ?? operator) : operator, (bound - at0) / slope);
}

function ofRelation(relation: Expression, steps: StepBudget): RealSet | null {
  if (!isHead(relation, 'relation')) return null;
  const operators = relation.name.split(' ');
  let set: RealSet | null = ALL;
  for (const [i, operator] of operators.entries()) {
    const [left, right] = [relation.args[i], relation.args[i + 1]];
    if (!left || !right) return null;
    if (operator === 'in') return realSet(right, steps);
    const [low, high] = [realValue(left, steps), realValue(right, steps)];
    let part: RealSet | null = null;
    if (high !== null && low === null) part = solve(left, operator, high, steps);
    else if (low !== null && high === null) part = solve(right, FLIPPED[operator] ?? operator, low, steps);
    if (part === null) return null;
    set = intersection(set, part);
  }
  return set;
}

/** x < 0 or x > 1 is a union; x > 0 and x < 5, whose union would say nothing, an intersection. */
function ofConditions(conditions: Expression[], steps: StepBudget): RealSet | null {
  const sets = conditions.map((condition) => ofRelation(condition, steps));
  const known = sets.filter((set) => set !== null);
  if (known.length < sets.length) return null;
  const all = known.reduce(union, []);
  return equalSets(all, ALL) ? known.reduce(intersection, ALL) : all;
}

function points(elements: Expression[], steps: StepBudget): RealSet | null {
  const values = elements.map((element) => realValue(element, steps));
  if (values.some((value) => value === null)) return null;
  return tidy(
    values.map((value) => ({ low: value ?? 0, high: value ?? 0, lowOpen: false, highOpen: false })),
  );
}

/** The set of reals that an expression or a condition on one variable stands for; null where it is none. */
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
