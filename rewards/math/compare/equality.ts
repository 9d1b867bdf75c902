import type { StepBudget } from '../limits.ts';
import { matrixOf } from '../numbers/matrix.ts';
import { equalSets, realSet } from '../numbers/real-set.ts';
import {
  type Application,
  apply,
  type Expression,
  isHead,
  lastSide,
  mapArgs,
  some,
  structure,
  variablesOf,
} from '../parse/expression.ts';
import { constantRatio, sameZeros } from './equations.ts';
import { isMeasured, withoutUnits } from './quantities.ts';
import { equalValues } from './values.ts';

/**
 * Whether an answer equals the ground truth. Not symmetric. An interval may answer a ground truth that is an
 * inequality, but not the reverse, since an inequality may be the question itself. 5 answers the ground truth x = 5,
 * but 11 does not answer 2x + 1 = 11, which is not solved.
 */
export function equalAnswers(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  if (!isMeasured(truth) && !isMeasured(answer)) return equal(prepared(truth), prepared(answer), steps);
  return withoutUnits(truth, answer).some(([ours, theirs]) => equal(prepared(ours), prepared(theirs), steps));
}

/** Expands ± into two values, replaces x ∈ S by S, and flattens nested lists. */
export function prepared(expression: Expression): Expression {
  if (isHead(expression, 'relation') && expression.name === 'in') return prepared(lastSide(expression));
  if (isHead(expression, 'list', 'set')) {
    const elements = expression.args
      .map(prepared)
      .flatMap((element) => (isHead(element, 'list') ? element.args : [element]));
    return { ...expression, args: elements };
  }
  if (!some(expression, (node) => isHead(node, 'plusMinus'))) return expression;
  return apply('list', [signed(expression, '+'), signed(expression, '-')]);
}

/** Every ± read as its upper (+) or lower (−) sign. */
function signed(expression: Expression, sign: '+' | '-'): Expression {
  const changed = mapArgs(expression, (arg) => signed(arg, sign));
  if (!isHead(changed, 'plusMinus')) return changed;
  const [a, b] = changed.args;
  if (!a || !b) return changed;
  const plus = (sign === '+') === (changed.name === '+-');
  return apply('add', [a, plus ? b : apply('negate', [b])]);
}

type Relation = Application & { head: 'relation' };
type Many = Application & { head: 'list' | 'set' };

const isRelation = (expression: Expression) => isHead(expression, 'relation');
const isEquation = (expression: Expression): expression is Relation =>
  isHead(expression, 'relation') && /^[=~]( [=~])*$/.test(expression.name);
const isInequality = (expression: Expression) =>
  isHead(expression, 'relation') && /[<>!]/.test(expression.name);

/** Whether the left side consists of names only: x, f(2), AB, (p, q), |AB|, S_1 : S_2. */
function isAssignment(expression: Expression): expression is Relation {
  if (!isEquation(expression)) return false;
  const [left] = expression.args;
  const isName = (node: Expression): boolean => {
    if (node.kind !== 'apply') return node.kind !== 'number';
    if (node.head === 'call') return true;
    const names = ['multiply', 'divide', 'absolute', 'tuple', 'ratio', 'function', 'degrees'];
    return names.includes(node.head) && node.args.every(isName);
  };
  return left !== undefined && isName(left);
}

/** The value at the end of a chain: the side before ≈ where that is a value, else the last side. */
function finalValue(equation: Application): Expression {
  const approximate = equation.name.split(' ').indexOf('~');
  const before = equation.args.slice(0, approximate + 1);
  const [first] = before;
  const known = approximate >= 1 || (first !== undefined && variablesOf(first).length === 0);
  if (approximate >= 0 && known) return before.at(-1) ?? equation;
  return equation.args.at(-1) ?? equation;
}

function equal(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  steps.spend(1);
  if (structure(truth) === structure(answer)) return true;
  if (truth.kind === 'text' || answer.kind === 'text') return equalTexts(truth, answer);
  if (isEquation(truth) || isEquation(answer)) return equalEquations(truth, answer, steps);
  if (isInequality(truth) && isInequality(answer)) return equalInequalities(truth, answer, steps);
  if (isMany(truth) || isMany(answer)) return equalMany(truth, answer, steps);
  if (isHead(truth, 'tuple', 'interval') || isHead(answer, 'tuple', 'interval')) {
    if (equalTuples(truth, answer, steps)) return true;
  }
  if (isSetLike(truth) || isSetLike(answer)) return equalRealSets(truth, answer, steps);
  if (isRelation(truth) || isRelation(answer)) return false;
  return equalMatrices(truth, answer, steps) ?? equalScalars(truth, answer, steps);
}

function equalTexts(truth: Expression, answer: Expression): boolean {
  const plain = (expression: Expression): string | null => {
    if (expression.kind === 'text') return expression.text.replace(/[\s().]+/g, '').toLowerCase();
    if (expression.kind === 'symbol') return expression.name.toLowerCase();
    if (isHead(expression, 'multiply'))
      return expression.args.map(plain).reduce((a, b) => (a === null || b === null ? null : a + b));
    return null;
  };
  const text = plain(truth);
  return text !== null && text === plain(answer);
}

function equalEquations(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  if (isEquation(truth) && isEquation(answer)) {
    if (isAssignment(truth) && isAssignment(answer)) {
      const [left, other] = [truth.args[0], answer.args[0]];
      const same = left && other && structure(left) === structure(other);
      if (same) return equal(prepared(finalValue(truth)), prepared(finalValue(answer)), steps);
    }
    return sameEquation(truth, answer, steps);
  }
  if (isEquation(truth)) {
    // Only a solved equation equals its value.
    const solved = truth.args.length > 2 || isAssignment(truth);
    return solved && !isRelation(answer) && equal(prepared(finalValue(truth)), answer, steps);
  }
  if (!isEquation(answer)) return false;
  const [left] = answer.args;
  const solved = isAssignment(answer) || (left !== undefined && variablesOf(left).length === 0);
  return solved && !isRelation(truth) && equal(truth, prepared(finalValue(answer)), steps);
}

const difference = (left: Expression, right: Expression) => apply('add', [left, apply('negate', [right])]);

function sameEquation(truth: Application, answer: Application, steps: StepBudget): boolean {
  const [a, b] = [truth.args[0], truth.args.at(-1)];
  const [c, d] = [answer.args[0], answer.args.at(-1)];
  if (!a || !b || !c || !d) return false;
  const [f, g] = [difference(a, b), difference(c, d)];
  if (variablesOf(f).join() !== variablesOf(g).join()) return false;
  return constantRatio(f, g, steps) !== null || sameZeros(f, g, steps);
}

const FLIPPED: Record<string, string> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=', '!=': '!=', '=': '=' };

/** a < b as (b − a, '<'): the difference that has to be positive. */
function margins(relation: Expression): { margin: Expression; operator: string }[] {
  if (!isHead(relation, 'relation')) return [];
  return relation.name.split(' ').map((operator, i) => {
    const [left, right] = [relation.args[i] ?? relation, relation.args[i + 1] ?? relation];
    const descending = operator === '>' || operator === '>=';
    return {
      margin: descending ? difference(left, right) : difference(right, left),
      operator: descending ? (FLIPPED[operator] ?? operator) : operator,
    };
  });
}

function equalInequalities(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  const [ours, theirs] = [realSet(truth, steps), realSet(answer, steps)];
  if (ours && theirs)
    return variablesOf(truth).join() === variablesOf(answer).join() && equalSets(ours, theirs, steps);
  const [a, b] = [margins(truth), margins(answer)];
  const matches = (list: typeof b) =>
    a.length === list.length &&
    a.every(({ margin, operator }, i) => {
      const other = list[i];
      if (!other || other.operator !== operator) return false;
      const ratio = constantRatio(margin, other.margin, steps);
      return ratio !== null && (ratio > 0 || operator === '!=');
    });
  return matches(b) || matches([...b].reverse());
}

const isMany = (expression: Expression): expression is Many =>
  isHead(expression, 'list') || (isHead(expression, 'set') && expression.name === '');

const isSetLike = (expression: Expression): boolean =>
  isHead(expression, 'union', 'intersection', 'difference', 'interval', 'set') ||
  (isHead(expression, 'tuple') && expression.args.length === 2) ||
  (expression.kind === 'symbol' && (expression.name === 'reals' || expression.name === 'emptyset'));

/** x = 4, −8, −10 and x = 4 or x = −8 as their values. */
function elementsOf(many: Application): Expression[] {
  const { args } = many;
  const lefts = args.map((arg) => (isAssignment(arg) ? structure(arg.args[0] ?? arg) : null));
  const named = new Set(lefts.filter((left) => left !== null));
  const unwrap = named.size === 1 && (args.length > 1 || lefts[0] !== null);
  if (!unwrap) return args;
  return args.map((arg) => (isAssignment(arg) ? finalValue(arg) : arg));
}

function equalMany(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  if (isMany(truth) && isMany(answer)) {
    if (sameElements(elementsOf(truth), elementsOf(answer), steps)) return true;
    return hasConditions(truth) && equalRealSets(truth, answer, steps);
  }
  const many = isMany(truth) ? truth : answer;
  const other = many === truth ? answer : truth;
  if (!isMany(many)) return false;
  if (isHead(other, 'tuple', 'interval')) return tupleAgainstList(other, many, steps);
  if (many.args.length === 1) {
    const [only = many] = elementsOf(many);
    return many === truth ? equal(only, answer, steps) : equal(truth, only, steps);
  }
  const matrix = matrixOf(other);
  if (matrix && isHead(many, 'list')) return sameInOrder(matrix.flat(), many.args, steps);
  return (isSetLike(other) || hasConditions(other)) && equalRealSets(truth, answer, steps);
}

/** (1, 2) equals the list 1, 2 in this order; [1, 2] in any order. An interval does not equal a list. */
function tupleAgainstList(tuple: Application, many: Application, steps: StepBudget): boolean {
  const elements = elementsOf(many);
  if (tuple.name === '()') return isHead(many, 'list') && sameInOrder(tuple.args, elements, steps);
  if (tuple.name === '[]' && !hasConditions(many)) return sameElements(tuple.args, elements, steps);
  return hasConditions(many) && equalRealSets(many, tuple, steps);
}

const hasConditions = (expression: Expression) =>
  isInequality(expression) || (isHead(expression, 'list') && expression.args.some(isInequality));

function sameInOrder(a: Expression[], b: Expression[], steps: StepBudget): boolean {
  return a.length === b.length && a.every((x, i) => equal(x, prepared(b[i] ?? x), steps));
}

/** Each element of one is equal to one of the other, in any order. */
function sameElements(truth: Expression[], answer: Expression[], steps: StepBudget): boolean {
  if (truth.length !== answer.length) {
    const [a, b] = [distinct(truth), distinct(answer)];
    if (a.length !== b.length || (a.length === truth.length && b.length === answer.length)) return false;
    return sameElements(a, b, steps);
  }
  const left = [...answer];
  return truth.every((element) => {
    const found = left.findIndex((candidate) => equal(element, candidate, steps));
    if (found >= 0) left.splice(found, 1);
    return found >= 0;
  });
}

const distinct = (elements: Expression[]) => [
  ...new Map(elements.map((element) => [structure(element), element])).values(),
];

function equalTuples(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  if (isHead(truth, 'tuple', 'interval') && isHead(answer, 'tuple', 'interval')) {
    return truth.name === answer.name && sameInOrder(truth.args, answer.args, steps);
  }
  const [tuple, other] = isHead(truth, 'tuple') ? [truth, answer] : [answer, truth];
  if (!isHead(tuple, 'tuple')) return false;
  const matrix = matrixOf(other);
  const vector = matrix && (matrix.length === 1 || matrix.every((row) => row.length === 1));
  if (vector) return sameInOrder(tuple.args, matrix.flat(), steps);
  return tuple.args.length === 1 && equal(tuple.args[0] ?? tuple, other, steps);
}

function equalRealSets(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  // An inequality answers only an inequality.
  if (hasConditions(answer) && !hasConditions(truth)) return false;
  const [ours, theirs] = [realSet(truth, steps), realSet(answer, steps)];
  if (ours && theirs) return equalSets(ours, theirs, steps);
  if (!isHead(truth, 'union') || !isHead(answer, 'union')) return false;
  return sameElements(parts(truth), parts(answer), steps);
}

const parts = (expression: Expression): Expression[] =>
  isHead(expression, 'union') ? expression.args.flatMap(parts) : [expression];

function equalMatrices(truth: Expression, answer: Expression, steps: StepBudget): boolean | null {
  const [a, b] = [matrixOf(truth), matrixOf(answer)];
  if (!a && !b) return null;
  return (
    a !== null &&
    b !== null &&
    a.length === b.length &&
    a.every((row, i) => sameInOrder(row, b[i] ?? [], steps))
  );
}

function equalScalars(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  if (isHead(truth, 'based') || isHead(answer, 'based')) return equalBased(truth, answer, steps);
  if (isHead(truth, 'ratio') && isHead(answer, 'ratio')) {
    if (sameInOrder(truth.args, answer.args, steps)) return true;
    if (truth.args.length > 2) return proportional(truth.args, answer.args, steps);
  }
  return equalValues(truth, answer, steps);
}

function equalBased(truth: Expression, answer: Expression, steps: StepBudget): boolean {
  if (!isHead(truth, 'based') || !isHead(answer, 'based') || truth.name !== answer.name) return false;
  const [base, other] = [truth.args[0], answer.args[0]];
  return base !== undefined && other !== undefined && equal(base, other, steps);
}

/** 1 : 2 : 3 and 2 : 4 : 6. */
function proportional(a: Expression[], b: Expression[], steps: StepBudget): boolean {
  const [first, other] = [a[0], b[0]];
  if (!first || !other || a.length !== b.length) return false;
  return a.every((x, i) =>
    equalValues(apply('multiply', [x, other]), apply('multiply', [b[i] ?? x, first]), steps),
  );
}
