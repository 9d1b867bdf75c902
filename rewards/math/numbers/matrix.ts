import { limits, OverLimit } from '../limits.ts';
import { apply, argsOf, type Expression, integer, isHead } from '../parse/expression.ts';

type Matrix = Expression[][];

const sum = (terms: Expression[]) => terms.reduce((total, term) => apply('add', [total, term]), integer(0n));

function product(a: Matrix, b: Matrix): Matrix | null {
  const columns = b[0]?.map((_, j) => b.map((row) => row[j] ?? integer(0n))) ?? [];
  if (a[0]?.length !== b.length) return null;
  if (a.length * columns.length * b.length > limits.elements)
    throw new OverLimit('expected a smaller matrix product');
  return a.map((row) =>
    columns.map((column) => sum(row.map((x, k) => apply('multiply', [x, column[k] ?? integer(0n)])))),
  );
}

function total(a: Matrix, b: Matrix): Matrix | null {
  const alike = a.length === b.length && a.every((row, i) => row.length === b[i]?.length);
  return alike ? a.map((row, i) => row.map((x, j) => apply('add', [x, b[i]?.[j] ?? integer(0n)]))) : null;
}

const scaled = (a: Matrix, change: (x: Expression) => Expression) => a.map((row) => row.map(change));

/** Rows of a matrix, or of a sum or product of matrices and numbers; null for anything else. */
export function matrixOf(expression: Expression): Matrix | null {
  if (isHead(expression, 'matrix')) return expression.name === '' ? expression.args.map(argsOf) : null;
  if (!isHead(expression, 'add', 'multiply', 'negate', 'divide')) return null;
  const [left, right] = expression.args;
  const [a, b] = [left ? matrixOf(left) : null, right ? matrixOf(right) : null];
  if (isHead(expression, 'negate')) return a && scaled(a, (x) => apply('negate', [x]));
  if (isHead(expression, 'add')) return a && b && total(a, b);
  if (isHead(expression, 'divide')) return a && right ? scaled(a, (x) => apply('divide', [x, right])) : null;
  if (a && b) return product(a, b);
  if (a && right) return scaled(a, (x) => apply('multiply', [x, right]));
  return b && left ? scaled(b, (x) => apply('multiply', [left, x])) : null;
}
