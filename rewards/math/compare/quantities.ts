import type { Rational } from '../numbers/rational.ts';
import { apply, type Expression, isHead, mapArgs, some } from '../parse/expression.ts';
import { areContrary, mayAgree, parseUnit, sameUnit, type Unit } from '../parse/units.ts';

/** Two sides of a comparison. */
export type Sides = readonly [truth: Expression, answer: Expression];

const isMarked = (node: Expression) => isHead(node, 'quantity', 'percent', 'degrees');

/** Whether some value is followed by a percent sign, a degree sign, a unit or words. */
export const isMeasured = (expression: Expression): boolean => some(expression, isMarked);

/** What follows one value of a side. */
type Mark = { kind: 'percent' } | { kind: 'degrees' } | { kind: 'unit'; unit: Unit } | { kind: 'words' };

function markOf(node: Expression): Mark {
  if (isHead(node, 'percent', 'degrees')) return { kind: node.head };
  const unit = isHead(node, 'quantity') ? parseUnit(node.name) : null;
  return unit === null ? { kind: 'words' } : { kind: 'unit', unit };
}

const isCondition = (node: Expression) => isHead(node, 'relation') && /[<>!]/.test(node.name);

/** Whether the arguments are values of the answer, and not operands of one value. */
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

/** The values of an answer that have marks, including marks inside marks: 5 % of students. */
function marked(expression: Expression): Expression[] {
  if (isMarked(expression)) return [expression, ...mapMarked(expression)];
  return isContainer(expression) && expression.kind === 'apply' ? expression.args.flatMap(marked) : [];
}

const mapMarked = (expression: Expression) =>
  expression.kind === 'apply' ? expression.args.flatMap(marked) : [];

/** Changes each marked value of an answer; `within`: whether the value is part of an inequality. */
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

/** The value without the units inside it: 3 cm + 2 cm. */
function bare(expression: Expression): Expression {
  if (isHead(expression, 'quantity')) return bare(expression.args[0] ?? expression);
  return mapArgs(expression, bare);
}

const mentions = (expression: Expression, name: string) =>
  some(expression, (node) => node.kind === 'symbol' && node.name === name);

/**
 * The expression without its marks: 28 % as an answer in percent is 28, and 90° is 90. The percent sign stays after
 * anything but a number, and the degree sign after a multiple of π, which is a mistake of the answer.
 */
function stripped(expression: Expression): Expression {
  return withMarked(expression, (node, inner, within) => {
    if (isHead(node, 'quantity')) return inner;
    const kept = isHead(node, 'percent') ? inner.kind !== 'number' : mentions(inner, 'pi');
    return within || kept ? { ...mapArgs(node, () => inner) } : inner;
  });
}

const number = (value: Rational): Expression => ({ kind: 'number', value, places: null });

/** The expression in base units: 5 cm is 0.05, multiplied by a symbol for the metre where `dimensions` is set. */
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

/** Whether a mark is a dimensionless factor. */
const isFactor = (mark: Mark) =>
  mark.kind === 'percent' || mark.kind === 'degrees' || (mark.kind === 'unit' && isAngle(mark.unit));

const isAngle = ({ dimensions }: Unit) => dimensions.size === 1 && dimensions.has('radian');

/** Reads unit letters as the variables that the other side contains: 3 m is 3 · m when compared with m · 3. */
function withFactors(expression: Expression, other: Expression): Expression {
  return withMarked(expression, (node, inner) => {
    if (!isHead(node, 'quantity') || !mentions(other, node.name)) return mapArgs(node, () => inner);
    return apply('multiply', [inner, { kind: 'symbol', name: node.name }]);
  });
}

const textsOf = (nodes: Expression[]) =>
  nodes.flatMap((node) => (isHead(node, 'quantity') ? [node.name] : []));

/** Whether the words after the values exclude each other: apples and oranges, an increase and a decrease. */
function contradict(ours: string[], theirs: string[]): boolean {
  if (ours.length === 0 || theirs.length === 0) return false;
  if (ours.some((text) => theirs.some((other) => areContrary(text, other)))) return true;
  return ours.some((text) => !theirs.some((other) => mayAgree(text, other)));
}

/** Whether all marks are the same unit. */
function haveOneUnit(marks: Mark[]): boolean {
  const [first] = marks;
  return (
    first?.kind === 'unit' && marks.every((mark) => mark.kind === 'unit' && sameUnit(mark.unit, first.unit))
  );
}

/** Both sides in base units; empty where only one side has dimensions. */
function inBaseUnits([truth, answer]: Sides, ours: Mark[], theirs: Mark[]): Sides[] {
  const dimensionless = (marks: Mark[]) => marks.every(isFactor);
  if (dimensionless(ours) && dimensionless(theirs))
    return [[converted(truth, false), converted(answer, false)]];
  if (dimensionless(ours) || dimensionless(theirs)) return [];
  return [[converted(truth, true), converted(answer, true)]];
}

/**
 * The readings of both sides without percent signs, degree signs and units, the same reading for both: marks
 * dropped, as where only one side has a unit, or both sides in base units. Empty where the units exclude each other.
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
    // A fraction is never a number of percent: 1/4 does not equal 0.25 %.
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
