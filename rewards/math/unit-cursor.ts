import { TIMES } from './commands.ts';
import { apply, type Expression, isHead } from './expression.ts';
import { ParseFailure } from './limits.ts';
import { TokenCursor } from './token-cursor.ts';

/** Currencies as they stand before an amount. */
const CURRENCIES = new Set(['USD', 'EUR', 'INR', 'RUB', 'KRW', 'THB']);
/** Letters that are units where they are upright and follow a number. */
const UNIT_LETTERS = new Set([...'mgshlLNJWVAKCF']);

/** A place in a list of tokens that reads the units and words after a value. */
export abstract class UnitCursor extends TokenCursor {
  /** What stands after ^ or _. */
  protected abstract script(): Expression;

  /** A currency before its amount; empty where none stands there. */
  protected currency(): string {
    const stands = this.is('text') && CURRENCIES.has(this.token.value) && this.following.type !== 'end';
    return stands ? this.take().value : '';
  }

  /** Words, or one upright letter that is a unit and no name with an index. */
  protected isUnit(ahead = 0): boolean {
    const [token, next] = [this.tokens[this.position + ahead], this.tokens[this.position + ahead + 1]];
    if (token?.type === 'text') return true;
    if (token?.type !== 'letter' || token.upright !== true || !UNIT_LETTERS.has(token.value)) return false;
    return !(next?.type === 'mark' && /^[_(']$/.test(next.value));
  }

  /** kg m^2 / s^2, each word or letter as a text. */
  protected unit(): string {
    let words = this.unitPart();
    for (;;) {
      const isTimes = this.is('mark', '*') || (this.is('command') && TIMES.has(this.token.value));
      if ((isTimes || this.is('mark', '/')) && this.isUnit(1)) {
        this.take();
        words += (isTimes ? ' ' : '/') + this.unitPart();
      } else if (this.isUnit()) words += ` ${this.unitPart()}`;
      else return words;
    }
  }

  /** One word or letter with its power, which counts where it is a whole number. */
  private unitPart(): string {
    const word = this.take().value;
    if (!this.is('mark', '^')) return word;
    const exponent = this.script();
    const [inner = exponent] = isHead(exponent, 'negate') ? exponent.args : [];
    if (inner.kind !== 'number' || inner.value.d !== 1n) return word;
    return `${word}^${inner === exponent ? '' : '-'}${inner.value.n}`;
  }

  /** \frac{m}{s} with texts above and below. */
  protected startsUnitFraction(): boolean {
    if (!this.is('command', 'frac', 'dfrac', 'tfrac')) return false;
    return this.following.value === '{' && this.isUnit(2);
  }

  protected unitFraction(): string {
    this.take();
    const [above, below] = [this.unitGroup(), this.unitGroup()];
    return `${above}/${below.replaceAll(' ', '/')}`;
  }

  private unitGroup(): string {
    this.expect('mark', '{');
    if (!this.isUnit()) throw new ParseFailure(`expected a unit, found ${this.token.value}`);
    const words = this.unit();
    this.expect('mark', '}');
    return words;
  }
}

/** With the unit that stands after it; degrees in words are degrees. */
export function measured(value: Expression, unit: string): Expression {
  if (unit === '') return value;
  return /^deg(?:ree)?s?$/i.test(unit) ? apply('degrees', [value]) : apply('quantity', [value], unit);
}

/** −(5 cm) is (−5) cm. */
export function negated(value: Expression): Expression {
  if (!isHead(value, 'quantity')) return apply('negate', [value]);
  return { ...value, args: [apply('negate', value.args)] };
}

/** A unit after the last term is one of the sum: 3 + √2 cm. */
export function added(left: Expression, right: Expression): Expression {
  const [a, b] = [left, right].map((side) => (isHead(side, 'quantity') ? (side.args[0] ?? side) : side));
  if (!isHead(right, 'quantity') || !a || !b) return apply('add', [left, right]);
  const same = !isHead(left, 'quantity') || left.name === right.name;
  return same ? apply('quantity', [apply('add', [a, b])], right.name) : apply('add', [left, right]);
}
