import { limits, OverLimit, ParseFailure } from '../limits.ts';
import { CLOSERS, CLOSING, SET_OPERATORS, TIMES } from './commands.ts';
import { apply, type Expression, integer, isHead, lastSide, variablesOf } from './expression.ts';
import { PrimaryParser } from './primary.ts';
import { type Commas, tokenize } from './tokens.ts';
import { added, measured, negated } from './unit-cursor.ts';

/**
 * A recursive-descent parser of final answers: LaTeX, or plain text such as 2*x^2 and sqrt(3)/2. This class parses
 * lists, relations and operators; its base classes parse single values, brackets and units.
 */
class Parser extends PrimaryParser {
  /** The whole text as one answer. */
  answer(): Expression {
    const result = this.groups();
    if (this.token.type !== 'end') {
      throw new ParseFailure(`expected the end of the answer, found ${this.token.value}`);
    }
    return result;
  }

  /**
   * a, b; c, d or e: one value, or a list. Several groups of equations, equal in length, are tuples of their values.
   */
  protected groups(): Expression {
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

  protected relation(): Expression {
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

  /** A plain TeX fraction includes the whole group: {a + b \over c}. */
  protected sum(): Expression {
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

  protected term(): Expression {
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

  protected startsFactor(): boolean {
    const { type, value } = this.token;
    if (type === 'number' || type === 'letter' || type === 'function') return true;
    if (type === 'mark')
      return value === '(' || value === '{' || value === '[' || (value === '|' && this.bars === 0);
    if (type !== 'command') return false;
    return !(CLOSING.has(value) || value.startsWith('end '));
  }

  protected factor(): Expression {
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

  /** x_1 and S_{ABC} are names, F_{n-1} is a function of its index, 204_5 is a number in base 5. */
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
}

/** A final answer as an expression. Errors: ParseFailure, OverLimit. */
export function parseAnswer(source: string, commas: Commas = 'separator'): Expression {
  return new Parser(tokenize(source, commas)).answer();
}
