import {
  CALLED,
  CLOSERS,
  CLOSING,
  GREEK,
  PLAIN_MATRICES,
  SET_OPERATORS,
  SYMBOLS,
  TIMES,
  TRANSPARENT,
} from './commands.ts';
import { apply, type Expression, integer, isHead, variablesOf } from './expression.ts';
import { limits, OverLimit, ParseFailure } from './limits.ts';
import { decimalPlaces, fromDecimal } from './rational.ts';
import { type Commas, type Token, tokenize } from './tokens.ts';
import { added, measured, negated, UnitCursor } from './unit-cursor.ts';

/** A recursive-descent parser of final answers: LaTeX, or plain text such as 2*x^2 and sqrt(3)/2. */
class Parser extends UnitCursor {
  /** |…| that are open here: a bar closes the last. */
  private bars = 0;

  /** The whole text as one answer. */
  answer(): Expression {
    const result = this.groups();
    if (this.token.type !== 'end') {
      throw new ParseFailure(`expected the end of the answer, found ${this.token.value}`);
    }
    return result;
  }

  /** a, b; c, d or e: one value, or a list. Groups of equations, alike in length, are tuples of their values. */
  private groups(): Expression {
    const groups = [this.commaSeparated()];
    while (this.accept('separator')) {
      while (this.accept('separator'));
      if (this.ends()) break;
      groups.push(this.commaSeparated());
    }
    const [first = []] = groups;
    const systems =
      groups.length > 1 &&
      first.length > 1 &&
      groups.every(
        (group) => group.length === first.length && group.every((each) => isHead(each, 'relation')),
      );
    const elements = systems
      ? groups.map((group) => apply('tuple', group.map(lastSide), '()'))
      : groups.flat();
    if (elements.length > limits.elements)
      throw new OverLimit(`expected at most ${limits.elements} elements`);
    const [only] = elements;
    return elements.length === 1 && only ? only : apply('list', elements);
  }

  private ends(): boolean {
    return this.is('end') || (this.token.type === 'mark' && CLOSERS.has(this.token.value));
  }

  private commaSeparated(): Expression[] {
    const elements = [this.relation()];
    while (this.is('separator', ',')) {
      this.take();
      if (this.is('separator', ';')) break;
      if (this.ends()) break;
      elements.push(this.relation());
    }
    return elements;
  }

  private relation(): Expression {
    const sides = [this.ratio()];
    const operators: string[] = [];
    while (this.is('relation')) {
      operators.push(this.take().value);
      sides.push(this.ratio());
    }
    const [only] = sides;
    return sides.length === 1 && only ? only : apply('relation', sides, operators.join(' '));
  }

  private ratio(): Expression {
    const terms = [this.setExpression()];
    while (this.accept('mark', ':')) terms.push(this.setExpression());
    const [only] = terms;
    return terms.length === 1 && only ? only : apply('ratio', terms);
  }

  private setExpression(): Expression {
    let left = this.sum();
    while (this.token.type === 'command' && Object.hasOwn(SET_OPERATORS, this.token.value)) {
      const head = SET_OPERATORS[this.take().value] ?? 'union';
      left = apply(head, [left, this.sum()]);
    }
    return left;
  }

  /** Plain TeX's fractions take all of their group: {a + b \over c}. */
  private sum(): Expression {
    const above = this.terms();
    if (this.accept('command', 'over')) return apply('divide', [above, this.terms()]);
    if (this.accept('command', 'choose')) return apply('binomial', [above, this.terms()]);
    return above;
  }

  private terms(): Expression {
    return this.nested(() => {
      let left = this.signed();
      for (;;) {
        if (this.accept('mark', '+')) left = added(left, this.signed());
        else if (this.accept('mark', '-')) left = added(left, negated(this.signed()));
        else if (this.accept('command', 'pm')) left = apply('plusMinus', [left, this.signed()], '+-');
        else if (this.accept('command', 'mp')) left = apply('plusMinus', [left, this.signed()], '-+');
        else return left;
        this.count();
      }
    });
  }

  private signed(): Expression {
    let negative = false;
    while (this.is('mark', '+', '-')) negative = (this.take().value === '-') !== negative;
    if (this.accept('command', 'pm')) return apply('plusMinus', [integer(0n), this.term()], '+-');
    if (this.accept('command', 'mp')) return apply('plusMinus', [integer(0n), this.term()], '-+');
    const term = this.term();
    return negative ? negated(term) : term;
  }

  private term(): Expression {
    const currency = this.currency();
    let left = currency === '' ? this.factor() : this.factorWithSign();
    let unit = currency;
    for (;;) {
      this.count();
      if (this.accept('mark', '*') || (this.token.type === 'command' && TIMES.has(this.token.value))) {
        if (this.token.type === 'command' && TIMES.has(this.token.value)) this.take();
        left = apply('multiply', [left, this.factorWithSign()]);
      } else if (this.accept('mark', '/') || this.accept('command', 'div')) {
        left = apply('divide', [left, this.factorWithSign()]);
      } else if (this.is('text') || (this.isUnit() && variablesOf(left).length === 0)) {
        unit = `${unit} ${this.unit()}`.trim();
      } else if (this.startsUnitFraction() && variablesOf(left).length === 0) {
        unit = `${unit} ${this.unitFraction()}`.trim();
      } else if (this.startsFactor()) {
        if (this.is('number') && left.kind === 'number')
          throw new ParseFailure('found two numbers side by side');
        left = apply('multiply', [left, this.factor()]);
      } else return measured(left, unit);
    }
  }

  private factorWithSign(): Expression {
    if (this.accept('mark', '-')) return apply('negate', [this.factorWithSign()]);
    this.accept('mark', '+');
    return this.factor();
  }

  private startsFactor(): boolean {
    const { type, value } = this.token;
    if (type === 'number' || type === 'letter' || type === 'function') return true;
    if (type === 'mark')
      return value === '(' || value === '{' || value === '[' || (value === '|' && this.bars === 0);
    if (type !== 'command') return false;
    return !(CLOSING.has(value) || value.startsWith('end '));
  }

  private factor(): Expression {
    return this.nested(() => {
      this.count();
      let base = this.base();
      for (;;) {
        if (this.is('mark', '^')) base = this.raised(base);
        else if (this.is('mark', '_')) base = this.indexed(base);
        else if (this.accept('mark', '!')) base = apply('factorial', [base]);
        else if (this.accept('mark', '%')) base = apply('percent', [base]);
        else if (this.accept('command', 'degree')) base = apply('degrees', [base]);
        else return base;
      }
    });
  }

  /** What stands after ^ or _: a group, or one token. */
  protected script(): Expression {
    this.take();
    if (this.accept('mark', '-')) return apply('negate', [this.base()]);
    if (this.accept('mark', '+')) return this.base();
    return this.base();
  }

  private raised(base: Expression): Expression {
    const next = this.following;
    const inner = next.value === '{' ? this.tokens[this.position + 2] : next;
    if (inner?.type === 'command' && (inner.value === 'circ' || inner.value === 'prime')) {
      this.position += next.value === '{' ? 4 : 2;
      if (inner.value === 'circ') return apply('degrees', [base]);
      return base.kind === 'symbol' ? { kind: 'symbol', name: `${base.name}'` } : base;
    }
    return apply('power', [base, this.script()]);
  }

  /** x_1 and S_{ABC} are names; F_{n-1} is a function of its index; 204_5 a number in base 5. */
  private indexed(base: Expression): Expression {
    const start = this.position + 1;
    const index = this.script();
    const written = this.tokens.slice(start, this.position);
    const inside = written.filter(({ value }) => value !== '{' && value !== '}');
    if (base.kind === 'number') return apply('based', [index], base.value.n.toString());
    if (base.kind !== 'symbol') return apply('call', [base, index], '_');
    const simple = inside.every(({ type }) => type === 'number' || type === 'text' || type === 'letter');
    const letters = inside.length === 1 && inside[0]?.type === 'letter' && /[a-z]/.test(inside[0].value);
    if (!simple || letters) return apply('call', [index], `${base.name}_`);
    return { kind: 'symbol', name: `${base.name}_${inside.map(({ value }) => value).join('')}` };
  }

  private base(): Expression {
    const token = this.take();
    if (token.type === 'number') return this.number(token);
    if (token.type === 'letter') return this.letter(token.value);
    if (token.type === 'function') return this.nested(() => this.named(token.value));
    if (token.type === 'text') return this.text(token.value);
    if (token.type === 'command') return this.nested(() => this.command(token.value));
    if (token.type === 'mark') return this.nested(() => this.bracketed(token.value));
    throw new ParseFailure(`expected a value, found ${token.value || 'the end'}`);
  }

  private number({ value }: Token): Expression {
    const places = decimalPlaces(value);
    const whole: Expression = { kind: 'number', value: fromDecimal(value), places };
    return places === null ? (this.mixed(whole.value.n) ?? whole) : whole;
  }

  /** 4 4/9 and 4\frac{4}{9}: a whole number and a proper fraction. */
  private mixed(whole: bigint): Expression | null {
    const start = this.position;
    const fraction = this.is('number') && this.token.spaced ? this.slashFraction() : this.latexFraction();
    if (fraction === null) {
      this.position = start;
      return null;
    }
    const { n, d } = fraction;
    if (d === 0n || n >= d)
      throw new ParseFailure(`expected a proper fraction after ${whole}, found ${n}/${d}`);
    return { kind: 'number', value: { n: whole * d + n, d }, places: null };
  }

  private slashFraction(): { n: bigint; d: bigint } | null {
    const n = this.take().value;
    if (!this.accept('mark', '/') || !this.is('number')) return null;
    const d = this.take().value;
    return /^\d+$/.test(n) && /^\d+$/.test(d) ? { n: BigInt(n), d: BigInt(d) } : null;
  }

  private latexFraction(): { n: bigint; d: bigint } | null {
    const plain = this.plainFraction();
    if (plain === null && !this.accept('command', 'frac')) return null;
    const [n, d] = plain ?? [this.argument(), this.argument()];
    if (n.kind !== 'number' || d.kind !== 'number' || n.places !== null || d.places !== null) return null;
    if (n.value.d !== 1n || d.value.d !== 1n) return null;
    return { n: n.value.n, d: d.value.n };
  }

  /** {3 \over 4} */
  private plainFraction(): [Expression, Expression] | null {
    if (!this.is('mark', '{')) return null;
    const shape = this.tokens
      .slice(this.position, this.position + 5)
      .map(({ type, value }) => (type === 'number' ? '0' : value));
    if (shape.join(' ') !== '{ 0 over 0 }') return null;
    this.take();
    const above = this.base();
    this.take();
    const below = this.base();
    this.take();
    return [above, below];
  }

  private letter(letter: string): Expression {
    let name = letter;
    while (this.accept('mark', "'")) name += "'";
    if (CALLED.test(name) && this.is('mark', '(')) return this.call(name);
    return { kind: 'symbol', name };
  }

  private call(name: string): Expression {
    this.take();
    const inside = this.groups();
    this.expect('mark', ')');
    return apply('call', isHead(inside, 'list') ? inside.args : [inside], name);
  }

  /** \sin^2 x, \log_2 8, \sqrt[3]{x}, max(a, b). */
  private named(name: string): Expression {
    if (name === 'sqrt' || name === 'cbrt') return this.root(name === 'cbrt' ? 3n : 2n);
    let [exponent, index]: [Expression | null, Expression | null] = [null, null];
    while (this.is('mark', '^', '_')) {
      if (this.is('mark', '^')) exponent = this.script();
      else index = this.script();
    }
    const args = this.functionArguments();
    const inverse = exponent !== null && isHead(exponent, 'negate') && /^(sin|cos|tan|cot)h?$/.test(name);
    const value = apply('function', index ? [...args, index] : args, inverse ? `arc${name}` : name);
    return exponent && !inverse ? apply('power', [value, exponent]) : value;
  }

  private functionArguments(): Expression[] {
    if (this.is('mark', '(', '{')) {
      const inside = this.base();
      return isHead(inside, 'tuple', 'list') ? inside.args : [inside];
    }
    // \sin 2x y: the product up to the next function, sign or bracket's end.
    if (this.accept('mark', '-')) return [apply('negate', this.functionArguments())];
    let value = this.factor();
    while (this.startsFactor() && !this.is('function') && !this.is('mark', '(')) {
      value = apply('multiply', [value, this.factor()]);
    }
    if (this.accept('mark', '/')) value = apply('divide', [value, this.factor()]);
    return [value];
  }

  private root(index: bigint): Expression {
    let degree: Expression = integer(index);
    if (this.is('mark', '[')) {
      this.take();
      degree = this.groups();
      this.expect('mark', ']');
    }
    return apply('root', [this.argument(), degree]);
  }

  /** \root 3 \of x */
  private plainRoot(): Expression {
    const degree = this.sum();
    this.expect('command', 'of');
    return apply('root', [this.argument(), degree]);
  }

  /** One argument of a command: a group, or one character: \frac13 is a third. */
  private argument(): Expression {
    const { token } = this;
    if (token.type === 'number' && /^\d\d+$/.test(token.value)) {
      const previous = this.tokens[this.position - 1];
      if (previous?.value !== 'sqrt') {
        this.tokens[this.position] = { ...token, value: token.value.slice(1), spaced: false };
        return integer(BigInt(token.value.slice(0, 1)));
      }
    }
    if (token.type === 'number') {
      this.take();
      return { kind: 'number', value: fromDecimal(token.value), places: decimalPlaces(token.value) };
    }
    return this.base();
  }

  private text(words: string): Expression {
    if (this.is('end')) return { kind: 'text', text: words };
    return { kind: 'symbol', name: `"${words}"` };
  }

  private command(name: string): Expression {
    if (name === 'frac' || name === 'dfrac' || name === 'tfrac' || name === 'cfrac') {
      const top = this.argument();
      return apply('divide', [top, this.argument()]);
    }
    if (name === 'binom' || name === 'dbinom' || name === 'tbinom') {
      const top = this.argument();
      return apply('binomial', [top, this.argument()]);
    }
    if (name === 'root') return this.plainRoot();
    if (PLAIN_MATRICES.has(name) && this.is('mark', '{')) return this.plainMatrix();
    if (name === 'sum' || name === 'prod') return this.iterated(name === 'sum' ? 'sum' : 'product');
    if (name === 'mathbb') return this.mathbb();
    if (TRANSPARENT.has(name)) return this.base();
    if (name === 'lfloor' || name === 'lceil') {
      const inside = this.groups();
      this.expect('command', name === 'lfloor' ? 'rfloor' : 'rceil');
      return apply('function', [inside], name === 'lfloor' ? 'floor' : 'ceil');
    }
    if (name === 'langle') {
      const inside = this.groups();
      this.expect('command', 'rangle');
      return isHead(inside, 'list') ? apply('tuple', inside.args, '()') : inside;
    }
    if (name.startsWith('begin ')) return this.environment(name.slice(6));
    if (Object.hasOwn(SYMBOLS, name)) return { kind: 'symbol', name: SYMBOLS[name] ?? name };
    if (GREEK.has(name)) return { kind: 'symbol', name: `\\${name}` };
    throw new ParseFailure(`expected a command with a value, found \\${name}`);
  }

  private mathbb(): Expression {
    const inside = this.base();
    return inside.kind === 'symbol' && inside.name === 'R'
      ? { kind: 'symbol', name: 'reals' }
      : { kind: 'symbol', name: `set of ${inside.kind === 'symbol' ? inside.name : 'values'}` };
  }

  private iterated(head: 'sum' | 'product'): Expression {
    let [from, to]: [Expression | null, Expression | null] = [null, null];
    while (this.is('mark', '^', '_')) {
      if (this.take().value === '^') to = this.base();
      else from = this.base();
    }
    if (from === null || to === null || !isHead(from, 'relation')) {
      throw new ParseFailure('expected both bounds of a sum or product');
    }
    const [index, first] = from.args;
    if (index?.kind !== 'symbol' || first === undefined) throw new ParseFailure('expected k=… below a sum');
    return apply(head, [index, first, to, this.term()]);
  }

  private bracketed(open: string): Expression {
    if (open === '{') return this.group();
    if (open === '\\{') return this.braces();
    if (open === '|') return this.absolute();
    if (open === '(' || open === '[') return this.brackets(open);
    throw new ParseFailure(`expected a value, found ${open}`);
  }

  private group(): Expression {
    if (this.accept('mark', '}')) throw new ParseFailure('expected a value, found an empty group');
    const outer = this.bars;
    this.bars = 0;
    const inside = this.groups();
    this.bars = outer;
    this.expect('mark', '}');
    return inside;
  }

  private braces(): Expression {
    if (this.accept('mark', '\\}')) return { kind: 'symbol', name: 'emptyset' };
    this.bars++;
    const inside = this.groups();
    // {x | x > 0}, {x : x > 0}: what the condition leaves.
    if (this.accept('mark', '|') || (isHead(inside, 'ratio') && this.is('relation'))) {
      const condition = this.groups();
      this.bars--;
      this.expect('mark', '\\}');
      return apply('set', [condition], 'where');
    }
    this.bars--;
    this.expect('mark', '\\}');
    if (isHead(inside, 'relation') && isHead(inside.args[0] ?? inside, 'ratio')) {
      const [head, ...rest] = inside.args;
      const [, left] = head?.kind === 'apply' ? head.args : [];
      if (left) return apply('set', [apply('relation', [left, ...rest], inside.name)], 'where');
    }
    return apply('set', isHead(inside, 'list') ? inside.args : [inside]);
  }

  private absolute(): Expression {
    this.bars++;
    const inside = this.groups();
    this.bars--;
    this.expect('mark', '|');
    return apply('absolute', [inside]);
  }

  private brackets(open: string): Expression {
    const outer = this.bars;
    this.bars = 0;
    const inside = this.groups();
    this.bars = outer;
    const close = this.expect('mark', ')', ']').value;
    const elements = isHead(inside, 'list') ? inside.args : null;
    if (elements === null) {
      if (open === '(' && close === ')') return inside;
      if (open === '[' && close === ']') return isMatrix(inside) ? inside : apply('tuple', [inside], '[]');
      throw new ParseFailure(`expected two ends of an interval in ${open} … ${close}`);
    }
    const name = open + close;
    if (name === '()') return apply('tuple', elements, name);
    if (elements.length === 2) return apply('interval', elements, name);
    if (name === '[]') return apply('tuple', elements, name);
    throw new ParseFailure(`expected two ends of an interval, found ${elements.length}`);
  }

  private environment(name: string): Expression {
    if (name === 'array') this.skipColumns();
    if (name === 'cases' || name.startsWith('align'))
      throw new ParseFailure(`expected an answer, found ${name}`);
    const rows = this.rows(() => this.is('command', `end ${name}`));
    this.expect('command', `end ${name}`);
    return apply('matrix', rows, name === 'vmatrix' ? 'determinant' : '');
  }

  /** \pmatrix{1 & 2 \cr 3 & 4} */
  private plainMatrix(): Expression {
    this.take();
    const rows = this.rows(() => this.is('mark', '}'));
    this.expect('mark', '}');
    return apply('matrix', rows);
  }

  private rows(atEnd: () => boolean): Expression[] {
    const rows: Expression[] = [];
    while (!atEnd()) {
      const cells = [this.relation()];
      while (this.accept('mark', '&')) cells.push(this.relation());
      rows.push(apply('list', cells));
      if (!this.accept('mark', '\\\\') && !this.accept('command', 'cr')) break;
      if (rows.length > limits.elements) throw new OverLimit(`expected at most ${limits.elements} rows`);
    }
    return rows;
  }

  private skipColumns(): void {
    this.expect('mark', '{');
    while (!this.accept('mark', '}')) {
      if (this.take().type === 'end')
        throw new ParseFailure('expected the columns of an array, found the end');
    }
  }
}

const isMatrix = (expression: Expression) => isHead(expression, 'matrix');

/** The last side of a relation: 3 of x = 1 + 2 = 3. */
export function lastSide(expression: Expression): Expression {
  if (!isHead(expression, 'relation')) return expression;
  return expression.args.at(-1) ?? expression;
}

/** A final answer as an expression. Errors: ParseFailure, OverLimit. */
export function parseAnswer(source: string, commas: Commas = 'separator'): Expression {
  return new Parser(tokenize(source, commas)).answer();
}
