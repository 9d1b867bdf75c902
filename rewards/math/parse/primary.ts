import { ParseFailure } from '../limits.ts';
import { decimalPlaces, fromDecimal } from '../numbers/rational.ts';
import { BracketParser } from './brackets.ts';
import { CALLED, GREEK, PLAIN_MATRICES, SYMBOLS, TRANSPARENT } from './commands.ts';
import { apply, type Expression, integer, isHead } from './expression.ts';
import type { Token } from './token-cursor.ts';

/** Parses single values: numbers, names, functions, commands, and what is in brackets. */
export abstract class PrimaryParser extends BracketParser {
  /** A sum, with plain TeX's \over and \choose. */
  protected abstract sum(): Expression;
  protected abstract term(): Expression;
  protected abstract factor(): Expression;
  protected abstract startsFactor(): boolean;

  /** Reads ^ or _ and its group or token. */
  protected script(): Expression {
    this.take();
    if (this.accept('mark', '-')) return apply('negate', [this.base()]);
    if (this.accept('mark', '+')) return this.base();
    return this.base();
  }

  protected base(): Expression {
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
    // \sin 2x y: the product up to the next function, operator or closing bracket.
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

  /** One argument of a command: a group, or one digit (\frac13 is a third). */
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
}
