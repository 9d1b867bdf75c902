import { limits, OverLimit, ParseFailure } from '../limits.ts';
import { apply, type Expression, isHead } from './expression.ts';
import { UnitCursor } from './unit-cursor.ts';

/** Parses groups, sets, tuples, intervals, absolute values and matrices. */
export abstract class BracketParser extends UnitCursor {
  /** Number of open |…| within the innermost brackets: the next bar closes one. */
  protected bars = 0;

  /** One or more values, separated by commas, semicolons or "and". */
  protected abstract groups(): Expression;
  /** One value, equation or inequality. */
  protected abstract relation(): Expression;

  protected bracketed(open: string): Expression {
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
    // {x | x > 0}, {x : x > 0}: the set that satisfies the condition.
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

  protected environment(name: string): Expression {
    if (name === 'array') this.skipColumns();
    if (name === 'cases' || name.startsWith('align'))
      throw new ParseFailure(`expected an answer, found ${name}`);
    const rows = this.rows(() => this.is('command', `end ${name}`));
    this.expect('command', `end ${name}`);
    return apply('matrix', rows, name === 'vmatrix' ? 'determinant' : '');
  }

  /** \pmatrix{1 & 2 \cr 3 & 4} */
  protected plainMatrix(): Expression {
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
