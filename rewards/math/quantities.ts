import { apply, type Expression, isHead, mapArgs, some } from './expression.ts';
import type { Rational } from './rational.ts';
import { areContrary, mayAgree, parseUnit, sameUnit, type Unit } from './units.ts';

/** Two sides of a comparison. */
export type Sides = readonly [truth: Expression, answer: Expression];

const isMarked = (node: Expression) => isHead(node, 'quantity', 'percent', 'degrees');

/** Whether a percent sign, a degree sign, a unit or words stand after some value. */
export const isMeasured = (expression: Expression): boolean => some(expression, isMarked);

/** What stands after one value of a side. */
type Mark = { kind: 'percent' } | { kind: 'degrees' } | { kind: 'unit'; unit: Unit } | { kind: 'words' };

function markOf(node: Expression): Mark {
  if (isHead(node, 'percent', 'degrees')) return { kind: node.head };
  const unit = isHead(node, 'quantity') ? parseUnit(node.name) : null;
  return unit === null ? { kind: 'words' } : { kind: 'unit', unit };
}

const isCondition = (node: Expression) => isHead(node, 'relation') && /[<>!]/.test(node.name);

/** Heads whose arguments are values of the answer, and not parts of one. */
const isContainer = (node: Expression) =>
  isHead(
    node,
    'list',
    'set',
    'tuple',
    'interval',
    'union',
    'intersection',
    'difference',
    'relation',
    'negate',
    'matrix',
  );

/** The values of an answer that are marked, the marks inside one another too: 5 % of students. */
function marked(expression: Expression): Expression[] {
  if (isMarked(expression)) return [expression, ...mapMarked(expression)];
  return isContainer(expression) && expression.kind === 'apply' ? expression.args.flatMap(marked) : [];
}

const mapMarked = (expression: Expression) =>
  expression.kind === 'apply' ? expression.args.flatMap(marked) : [];

/** The same answer with each marked value changed; `within`: whether it stands in an inequality. */
function withMarked(
  expression: Expression,
  change: (node: Expression, inner: Expression, within: boolean) => Expression,
  within = false,
): Expression {
  if (isMarked(expression) && expression.kind === 'apply') {
    const [value = expression] = expression.args;
    return change(expression, withMarked(value, change, within), within);
  }
  if (!isContainer(expression)) return bare(expression);
  const inside = within || isCondition(expression);
  return mapArgs(expression, (arg) => withMarked(arg, change, inside));
}

/** The same value without the units inside: 3 cm + 2 cm. */
function bare(expression: Expression): Expression {
  if (isHead(expression, 'quantity')) return bare(expression.args[0] ?? expression);
  return mapArgs(expression, bare);
}

const mentions = (expression: Expression, name: string) =>
  some(expression, (node) => node.kind === 'symbol' && node.name === name);

/**
 * Without its marks: 28 % as an answer in percent is 28, 90° is 90. A percentage of something else than a number
 * stays, and so do degrees of a multiple of π, which are a slip.
 */
function stripped(expression: Expression): Expression {
  return withMarked(expression, (node, inner, within) => {
    if (isHead(node, 'quantity')) return inner;
    const kept = isHead(node, 'percent') ? inner.kind !== 'number' : mentions(inner, 'pi');
    return within || kept ? { ...mapArgs(node, () => inner) } : inner;
  });
}

const number = (value: Rational): Expression => ({ kind: 'number', value, places: null });

/** In base units: 5 cm is 0.05, times the length of a metre where `dimensions` count. */
function converted(expression: Expression, dimensions: boolean): Expression {
  return withMarked(expression, (node, inner) => {
    const mark = markOf(node);
    if (mark.kind === 'words') return inner;
    if (mark.kind !== 'unit') return mapArgs(node, () => inner);
    const { factor, offset } = mark.unit;
    const scaled = apply('multiply', [inner, number(factor)]);
    const value = offset.n === 0n ? scaled : apply('add', [scaled, number(offset)]);
    return dimensions ? timesDimensions(value, mark.unit) : value;
  });
}

function timesDimensions(value: Expression, unit: Unit): Expression {
  return [...unit.dimensions].reduce<Expression>((product, [name, power]) => {
    const base: Expression = { kind: 'symbol', name: `one ${name}` };
    return apply('multiply', [product, apply('power', [base, number({ n: BigInt(power), d: 1n })])]);
  }, value);
}

/** Whether a mark is a factor without a dimension. */
const isFactor = (mark: Mark) =>
  mark.kind === 'percent' || mark.kind === 'degrees' || (mark.kind === 'unit' && isAngle(mark.unit));

const isAngle = ({ dimensions }: Unit) => dimensions.size === 1 && dimensions.has('radian');

/** With letters of units as the variables that the other side has: 3 m is 3 · m beside m · 3. */
function withFactors(expression: Expression, other: Expression): Expression {
  return withMarked(expression, (node, inner) => {
    if (!isHead(node, 'quantity') || !mentions(other, node.name)) return mapArgs(node, () => inner);
    return apply('multiply', [inner, { kind: 'symbol', name: node.name }]);
  });
}

const textsOf = (nodes: Expression[]) =>
  nodes.flatMap((node) => (isHead(node, 'quantity') ? [node.name] : []));

/** Whether what stands after the values cannot be the same: apples and oranges, an increase and a decrease. */
function contradict(ours: string[], theirs: string[]): boolean {
  if (ours.length === 0 || theirs.length === 0) return false;
  if (ours.some((text) => theirs.some((other) => areContrary(text, other)))) return true;
  return ours.some((text) => !theirs.some((other) => mayAgree(text, other)));
}

/** Whether the units of both sides are one and the same. */
function haveOneUnit(marks: Mark[]): boolean {
  const [first] = marks;
  return (
    first?.kind === 'unit' && marks.every((mark) => mark.kind === 'unit' && sameUnit(mark.unit, first.unit))
  );
}

/** Both sides in base units; none where their dimensions differ. */
function inBaseUnits([truth, answer]: Sides, ours: Mark[], theirs: Mark[]): Sides[] {
  const dimensionless = (marks: Mark[]) => marks.every(isFactor);
  if (dimensionless(ours) && dimensionless(theirs))
    return [[converted(truth, false), converted(answer, false)]];
  if (dimensionless(ours) || dimensionless(theirs)) return [];
  return [[converted(truth, true), converted(answer, true)]];
}

/**
 * Every way to read both sides without percent signs, degree signs and units, one way for both: a unit that one
 * side leaves out, or both in base units. None where the units contradict each other.
 */
export function withoutUnits(truth: Expression, answer: Expression): Sides[] {
  const [ours, theirs] = [marked(truth), marked(answer)];
  if (contradict(textsOf(ours), textsOf(theirs))) return [];
  const known = (nodes: Expression[]) => nodes.map(markOf).filter(({ kind }) => kind !== 'words');
  const [a, b] = [known(ours), known(theirs)];
  const plain: Sides = [stripped(truth), stripped(answer)];
  if (a.length === 0 && b.length === 0) return [plain];
  if (a.length > 0 && b.length > 0) {
    const alike: Sides[] = haveOneUnit([...a, ...b]) ? [plain] : [];
    return [...alike, ...inBaseUnits([truth, answer], a, b)];
  }
  if ([...a, ...b].some(isFactor)) {
    const inBase: Sides = [converted(truth, false), converted(answer, false)];
    // A quarter that answers 0.25 % is no percentage.
    const isShare =
      [...a, ...b].some(({ kind }) => kind === 'percent') && hasFraction(a.length > 0 ? answer : truth);
    return isShare ? [inBase] : [plain, inBase];
  }
  return [plain, [stripped(withFactors(truth, answer)), stripped(withFactors(answer, truth))]];
}

const hasFraction = (expression: Expression) => some(expression, (node) => isHead(node, 'divide'));

/** Whether both sides name a unit. */
export const bothNameUnits = (truth: Expression, answer: Expression): boolean =>
  [truth, answer].every((side) => marked(side).some((node) => markOf(node).kind === 'unit'));
