import { ParseFailure } from '../limits.ts';
import { TIMES } from './commands.ts';
import { apply, type Expression, isHead } from './expression.ts';
import { TokenCursor } from './token-cursor.ts';

/** Currencies that precede an amount. */
const CURRENCIES = new Set(['USD', 'EUR', 'INR', 'RUB', 'KRW', 'THB']);
/** Letters that are units where they are upright and follow a value. */
const UNIT_LETTERS = new Set([...'mgshlLNJWVAKCF']);

/** A token cursor that reads the units and words after a value. */
export abstract class UnitCursor extends TokenCursor {
  /** Reads ^ or _ and its group or token. */
  protected abstract script(): Expression;

  /** A currency before its amount; empty without one. */
  protected currency(): string {
    const isCurrency = this.is('text') && CURRENCIES.has(this.token.value) && this.following.type !== 'end';
    return isCurrency ? this.take().value : '';
  }

  /** Whether words follow, or one upright unit letter that is not a name with an index. */
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

  /** One word or letter with its power; a power that is not a whole number is dropped. */
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

/** A value with its unit; degrees in words are degrees. */
export function measured(value: Expression, unit: string): Expression {
  if (unit === '') return value;
  return /^deg(?:ree)?s?$/i.test(unit) ? apply('degrees', [value]) : apply('quantity', [value], unit);
}

/** The negated value; −(5 cm) is (−5) cm. */
export function negated(value: Expression): Expression {
  if (!isHead(value, 'quantity')) return apply('negate', [value]);
  return { ...value, args: [apply('negate', value.args)] };
}

/** The sum; a unit after the last term applies to all of it: 3 + √2 cm. */
export function added(left: Expression, right: Expression): Expression {
  const [a, b] = [left, right].map((side) => (isHead(side, 'quantity') ? (side.args[0] ?? side) : side));
  if (!isHead(right, 'quantity') || !a || !b) return apply('add', [left, right]);
  const same = !isHead(left, 'quantity') || left.name === right.name;
  return same ? apply('quantity', [apply('add', [a, b])], right.name) : apply('add', [left, right]);
}
