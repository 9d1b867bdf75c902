/**
 * Parses an arithmetic expression and computes it exactly. It never evaluates a program. Its limits are counts over
 * the input, so the verdict is the same on every machine.
 *
 *     sum     = product (("+" | "-") product)*
 *     product = signed (("*" | "/" | "//" | "%") signed)*
 *     signed  = ("+" | "-")* power
 *     power   = primary ("**" signed)?
 *     primary = (number | "(" sum ")") "!"?
 */
import { integer } from '../../algorithm/puzzles/rational.ts';
import { binaryOperations, bounded, factorial, type Operator, type Value } from './arithmetic-values.ts';

export interface ArithmeticOptions {
  /** allowed operators; brackets, + and − before a number are always allowed */
  operators: readonly (Operator | '!')[];
  /** whether decimals such as `2.5` are allowed; they are read as doubles */
  decimals: boolean;
}

export interface Computed {
  value: Value;
  /** the numbers as written, in order */
  literals: string[];
}

/** Most characters, and most levels of brackets; Python's parser allows as many. */
const LONGEST = 4_096;
const DEEPEST = 199;

/** The expression's value; null where it cannot be parsed, exceeds a limit, or divides by zero. */
export function computeArithmetic(text: string, options: ArithmeticOptions): Computed | null {
  const tokens = text.length > LONGEST ? null : tokenize(text);
  if (tokens === null) return null;
  const parser = new Parser(tokens, options);
  const value = parser.sum(0);
  return value === null || !parser.atEnd ? null : { value, literals: tokens.filter(isNumber) };
}

const TOKEN = /\s*(?:(\d+\.\d*|\.\d+|\d+)|(\*\*|\/\/|[-+*/%()!]))/y;

function tokenize(text: string): string[] | null {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  for (let end = 0; end < source.length; end = TOKEN.lastIndex) {
    const [, number, symbol] = TOKEN.exec(source) ?? [];
    const token = number ?? symbol;
    if (token === undefined) return null;
    tokens.push(token);
  }
  return tokens;
}

const isNumber = (token: string) => /^[.\d]/.test(token);
/** As in Python: `0` and `00` are numbers, `08` is not. */
const isInteger = (token: string) => /^(0+|[1-9]\d*)$/.test(token);

/** Computes the value while it reads the tokens once; every method returns null as soon as there is no value. */
class Parser {
  private readonly tokens: readonly string[];
  private readonly options: ArithmeticOptions;
  private position = 0;

  constructor(tokens: readonly string[], options: ArithmeticOptions) {
    this.tokens = tokens;
    this.options = options;
  }

  get atEnd(): boolean {
    return this.position === this.tokens.length;
  }

  sum(depth: number): Value | null {
    return this.chain(['+', '-'], () => this.product(depth));
  }

  private product(depth: number): Value | null {
    return this.chain(['*', '/', '//', '%'], () => this.signed(depth));
  }

  /** Operands joined from left to right by operators of one precedence. */
  private chain(operators: readonly Operator[], operand: () => Value | null): Value | null {
    let value = operand();
    for (let operator = this.take(operators); operator !== null; operator = this.take(operators)) {
      const right = value === null ? null : operand();
      if (value === null || right === null) return null;
      value = binaryOperations[operator](value, right);
    }
    return value;
  }

  private signed(depth: number): Value | null {
    let negative = false;
    while (this.peek() === '+' || this.peek() === '-') negative = this.next() === '-' ? !negative : negative;
    const value = this.power(depth);
    return negative && value !== null ? binaryOperations['-'](zero, value) : value;
  }

  private power(depth: number): Value | null {
    const base = this.primary(depth);
    if (base === null || this.take(['**']) === null) return base;
    const exponent = depth < DEEPEST ? this.signed(depth + 1) : null;
    return exponent === null ? null : binaryOperations['**'](base, exponent);
  }

  private primary(depth: number): Value | null {
    const token = this.next();
    const value = token === '(' ? this.bracket(depth) : this.number(token);
    if (this.peek() !== '!' || !this.options.operators.includes('!')) return value;
    this.next();
    return value === null || this.peek() === '!' ? null : factorial(value);
  }

  private bracket(depth: number): Value | null {
    const value = depth < DEEPEST ? this.sum(depth + 1) : null;
    return value !== null && this.next() === ')' ? value : null;
  }

  private number(token: string | undefined): Value | null {
    if (token === undefined || !isNumber(token)) return null;
    if (isInteger(token)) return bounded(integer(BigInt(token)));
    return this.options.decimals && token.includes('.') ? { approximate: Number(token) } : null;
  }

  private take(operators: readonly Operator[]): Operator | null {
    const found = operators.find((operator) => operator === this.peek());
    if (found === undefined || !this.options.operators.includes(found)) return null;
    this.position++;
    return found;
  }

  private peek(): string | undefined {
    return this.tokens[this.position];
  }

  private next(): string | undefined {
    return this.tokens[this.position++];
  }
}

const zero: Value = { exact: integer(0n) };
