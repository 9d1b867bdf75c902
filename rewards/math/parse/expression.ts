import type { Rational } from '../numbers/rational.ts';

/** The operation of an application node. */
export type Head =
  | 'add'
  | 'multiply'
  | 'divide'
  | 'negate'
  | 'power'
  /** [radicand, index] */
  | 'root'
  | 'percent'
  | 'degrees'
  /** [value]; its `name` is the unit or the words after the value */
  | 'quantity'
  | 'factorial'
  | 'absolute'
  /** [a, b] a ± b; its `name` is '+-' or '-+' */
  | 'plusMinus'
  | 'binomial'
  /** [symbol, from, to, body] */
  | 'sum'
  | 'product'
  /** a known function, by its `name`; 'log' takes [x, base] */
  | 'function'
  /** an unknown function or an indexed symbol: only its name and arguments are known */
  | 'call'
  /** digits in a base: [base]; `name` holds the digits */
  | 'based'
  /** a : b : c */
  | 'ratio'
  /** values side by side, in any order */
  | 'list'
  | 'set'
  /** round brackets, two or more elements; a pair may be an open interval */
  | 'tuple'
  /** [low, high]; `name` holds the brackets: '[]', '[)' or '(]' */
  | 'interval'
  | 'union'
  | 'intersection'
  | 'difference'
  /** a chain a < b ≤ c; `name` holds its operators, blank-separated */
  | 'relation'
  /** rows, each a list */
  | 'matrix';

export type Expression =
  /**
   * `places`: of a decimal, the power of ten of its last digit (-2 for 1.25); null for a whole number or a fraction
   */
  | { kind: 'number'; value: Rational; places: number | null }
  | { kind: 'symbol'; name: string }
  /** words, not mathematics */
  | { kind: 'text'; text: string }
  | Application;

export interface Application {
  kind: 'apply';
  head: Head;
  args: Expression[];
  name: string;
}

export function apply(head: Head, args: Expression[], name = ''): Application {
  return { kind: 'apply', head, args, name };
}

export function integer(value: bigint): Expression {
  return { kind: 'number', value: { n: value, d: 1n }, places: null };
}

export function isHead<H extends Head>(
  expression: Expression,
  ...heads: H[]
): expression is Application & { head: H } {
  return expression.kind === 'apply' && (heads as Head[]).includes(expression.head);
}

export function argsOf(expression: Expression): Expression[] {
  return expression.kind === 'apply' ? expression.args : [];
}

/** Whether any node, including the expression itself, satisfies `test`. */
export function some(expression: Expression, test: (node: Expression) => boolean): boolean {
  return test(expression) || argsOf(expression).some((arg) => some(arg, test));
}

/** The same expression with its arguments replaced. */
export function mapArgs(expression: Expression, change: (arg: Expression) => Expression): Expression {
  return expression.kind === 'apply' ? { ...expression, args: expression.args.map(change) } : expression;
}

/** Names whose value is fixed. */
const CONSTANTS = new Set(['pi', 'e', 'i', 'infinity', 'emptyset', 'reals']);

/** Names of the free variables, sorted: those that a sum or product binds are left out. */
export function variablesOf(expression: Expression): string[] {
  const found = new Set<string>();
  const visit = (node: Expression, bound: readonly string[]): void => {
    if (node.kind === 'symbol') {
      if (!CONSTANTS.has(node.name) && !bound.includes(node.name)) found.add(node.name);
      return;
    }
    const [index] = argsOf(node);
    const binds = isHead(node, 'sum', 'product') && index?.kind === 'symbol' ? [index.name] : [];
    for (const arg of argsOf(node)) visit(arg, [...bound, ...binds]);
  };
  visit(expression, []);
  return [...found].sort();
}

/** The last side of a relation: 3 of x = 1 + 2 = 3. */
export function lastSide(expression: Expression): Expression {
  if (!isHead(expression, 'relation')) return expression;
  return expression.args.at(-1) ?? expression;
}

/** The expression as text: equal texts mean equal expressions. */
export function structure(expression: Expression): string {
  if (expression.kind === 'number') return `${expression.value.n}/${expression.value.d}`;
  if (expression.kind === 'symbol') return expression.name;
  if (expression.kind === 'text') return JSON.stringify(expression.text);
  return `${expression.head}:${expression.name}(${expression.args.map(structure).join(',')})`;
}
