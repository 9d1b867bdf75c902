import { limits, OverLimit, ParseFailure } from '../limits.ts';
import { wordsAfterValue } from './amounts.ts';
import type { BareToken, Token } from './token-cursor.ts';

/** The meaning of a comma between digits that does not separate thousands. */
export type Commas = 'separator' | 'decimal' | 'indian';

const FUNCTIONS = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan arccot asin acos atan sinh cosh tanh coth log ln lg exp max min gcd lcm floor ceil abs sqrt cbrt'.split(
    ' ',
  ),
);

const WORDS: Record<string, BareToken> = {
  and: ['separator', ';'],
  or: ['separator', ';'],
  pi: ['command', 'pi'],
  infinity: ['command', 'infty'],
  infty: ['command', 'infty'],
  inf: ['command', 'infty'],
  oo: ['command', 'infty'],
  cup: ['command', 'cup'],
  in: ['relation', 'in'],
};

const RELATIONS: Record<string, string> = {
  '=': '=',
  '==': '=',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
  '!=': '!=',
  '~=': '~',
  lt: '<',
  gt: '>',
  le: '<=',
  leq: '<=',
  leqslant: '<=',
  leqq: '<=',
  ge: '>=',
  geq: '>=',
  geqslant: '>=',
  geqq: '>=',
  ne: '!=',
  neq: '!=',
  in: 'in',
  approx: '~',
  simeq: '~',
  equiv: '=',
  coloneqq: '=',
};

/** Commands whose braces hold words or one upright letter. */
const TEXT_COMMANDS = new Set(
  'text textbf textit textrm textnormal textsf mbox hbox mathrm mathbf mathit mathsf mathcal mathscr boldsymbol bm operatorname mathop rm bf'.split(
    ' ',
  ),
);

const IGNORED = new Set(
  'left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr displaystyle textstyle scriptstyle limits nolimits quad qquad mathstrut strut nonumber enspace thinspace'.split(
    ' ',
  ),
);

const PLAIN_NUMBER = /\d+\.\d+|\.\d+|\d+/y;
/** 1,234.5: a comma before exactly three digits, after one to three without a leading zero. */
const THOUSANDS = /(?<!\d,)[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?/y;
/** In brackets commas separate values, unless a group has a leading zero, which no value has: (1,000 + x). */
const THOUSANDS_IN_BRACKETS = /(?<!\d,)[1-9]\d{0,2}(?=(?:,\d{3})*,0\d\d)(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?/y;
const READ_AS: Record<Commas, RegExp | null> = {
  separator: null,
  decimal: /(?<!\d,)(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+),\d+(?!\d|[.,]\d)/y,
  indian: /(?<!\d,)[1-9]\d?(?:,\d{2})+,\d{3}(?!\d|,\d)(?:\.\d+)?/y,
};
/** A text in which all commas separate thousands has one reading. */
const THOUSANDS_RUN = /(?<![\d.]|\d,)[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)/g;

/** What the commas between digits may mean, likeliest first; one reading where all of them separate thousands. */
export function commasIn(source: string): Commas[] {
  if (!/\d,\d/.test(source)) return ['separator'];
  const others = source.replace(THOUSANDS_RUN, '1');
  if (!/\d,\d/.test(others)) return ['separator'];
  // A decimal comma occurs in a plain number, perhaps with a unit, but not within a formula.
  const isPlain = !/[\\{($[]/.test(others.replace(/\\text\s*\{[^{}]*\}|\\%/g, ''));
  const readings: Commas[] = ['separator'];
  if (isPlain) readings.push('decimal');
  if (/\d,\d\d,/.test(others)) readings.push('indian');
  return readings;
}

const SCIENTIFIC = /[eE][+-]?\d{1,3}(?![\d.])/y;
const COMMAND = /\\(?:[a-zA-Z]+|[^a-zA-Z])/y;
const WORD = /[a-zA-Z]+/y;

function at(pattern: RegExp, source: string, index: number): string {
  pattern.lastIndex = index;
  return pattern.exec(source)?.[0] ?? '';
}

/** The longest number at `index`: as written, and without its commas. */
function numberAt(source: string, index: number, commas: Commas, inBrackets: boolean) {
  const thousands = at(inBrackets ? THOUSANDS_IN_BRACKETS : THOUSANDS, source, index);
  if (thousands !== '') return { written: thousands, plain: thousands.replaceAll(',', '') };
  const pattern = inBrackets ? null : READ_AS[commas];
  const read = pattern ? at(pattern, source, index) : '';
  if (read === '') {
    const plain = at(PLAIN_NUMBER, source, index);
    return { written: plain, plain };
  }
  const isDecimal = commas === 'decimal';
  return {
    written: read,
    plain: isDecimal ? read.replaceAll('.', '').replace(',', '.') : read.replaceAll(',', ''),
  };
}

/** The index after the `}` that closes the `{` at `open`; −1 without one. */
function closingBrace(source: string, open: number): number {
  let depth = 0;
  for (let i = open; i < source.length; i++) {
    const character = source[i];
    if (character === '\\') i++;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return i + 1;
  }
  return -1;
}

/** `rest`: the text after the word; `apart`: whether a value and white space precede it. */
function wordTokens(word: string, rest: string, apart: boolean): BareToken[] {
  const lower = word.toLowerCase();
  const letters = () => [...word].map((letter): BareToken => ['letter', letter]);
  // lg and ln without an argument are products, as in √(lg); Lg always is.
  const isProduct = /^l[gn]$/.test(lower) && (word !== lower || /^\s*(?:$|[)\]},;+\-*/=])/.test(rest));
  if (FUNCTIONS.has(lower)) return isProduct && word !== 'Ln' ? letters() : [['function', lower]];
  if (lower === 'in' && !apart) return letters();
  const known = Object.hasOwn(WORDS, lower) ? WORDS[lower] : undefined;
  return known ? [known] : letters();
}

const endsValue = (token: Token | undefined) =>
  token !== undefined &&
  (token.type === 'number' ||
    token.type === 'letter' ||
    (token.type === 'mark' && /^[)\]}!%']$/.test(token.value)));

function textTokens(command: string, inside: string, previous: Token | undefined): BareToken[] {
  const words = inside.replace(/[\s~\\]+/g, ' ').trim();
  if (words === '') return [];
  if (/^(,? ?(and|or),?|,)$/i.test(words)) return [['separator', ';']];
  if (/^[a-zA-Z]$/.test(words)) return [['letter', words]];
  if (/^[\d.]+$/.test(words)) return [['number', words]];
  if (FUNCTIONS.has(words) && !command.startsWith('text')) return [['function', words]];
  if (words === '%') return [['mark', '%']];
  return endsValue(previous) ? wordsAfterValue(words) : [['text', words]];
}

function commandTokens(name: string): BareToken[] {
  if (IGNORED.has(name)) return [];
  if (Object.hasOwn(RELATIONS, name)) return [['relation', RELATIONS[name] ?? '']];
  if (FUNCTIONS.has(name)) return [['function', name]];
  if (name === '\\') return [['mark', '\\\\']];
  if (name === '{' || name === '}') return [['mark', `\\${name}`]];
  if (name === 'lbrace' || name === 'rbrace') return [['mark', name === 'lbrace' ? '\\{' : '\\}']];
  if (name === '|' || /^[lr]?vert$/i.test(name) || name === 'mid') return [['mark', '|']];
  if (name === '%') return [['mark', '%']];
  if (name === 'lbrack' || name === 'rbrack') return [['mark', name === 'lbrack' ? '[' : ']']];
  return /^[a-zA-Z]+$/.test(name) ? [['command', name]] : [];
}

/** LaTeX or plain mathematics as tokens. Errors: ParseFailure, OverLimit. */
export function tokenize(source: string, commas: Commas): Token[] {
  if (source.length > limits.answerCharacters) {
    throw new OverLimit(`expected at most ${limits.answerCharacters} characters, found ${source.length}`);
  }
  const tokens: Token[] = [];
  let [i, brackets, spaced] = [0, 0, false];
  const push = (list: BareToken[], upright = false) => {
    for (const [type, value] of list)
      tokens.push(upright ? { type, value, spaced, upright } : { type, value, spaced });
    if (list.length > 0) spaced = false;
  };
  while (i < source.length) {
    const character = source[i] ?? '';
    if (/\s/.test(character) || (character === '~' && source[i + 1] !== '=')) {
      spaced = true;
      i++;
    } else if (/[\d.]/.test(character)) {
      const { written, plain } = numberAt(source, i, commas, brackets > 0);
      if (written === '') throw new ParseFailure(`expected a number, found ${source.slice(i, i + 9)}`);
      i += written.length;
      const exponent = at(SCIENTIFIC, source, i);
      i += exponent.length;
      push([['number', plain + exponent]]);
    } else if (character === '\\') {
      const name = at(COMMAND, source, i).slice(1);
      i += name.length + 1;
      const open = source.slice(i).search(/\S/) + i;
      if (TEXT_COMMANDS.has(name) && source[open] === '{') {
        const end = closingBrace(source, open);
        if (end < 0) throw new ParseFailure('expected } after a text, found the end');
        push(textTokens(name, source.slice(open + 1, end - 1), tokens.at(-1)), true);
        i = end;
      } else if (name === 'begin' || name === 'end') {
        const end = closingBrace(source, open);
        if (end < 0) throw new ParseFailure(`expected {…} after \\${name}`);
        push([['command', `${name} ${source.slice(open + 1, end - 1).replace('*', '')}`]]);
        i = end;
      } else {
        if (name === '{' || name === 'lbrace') brackets++;
        if (name === '}' || name === 'rbrace') brackets--;
        if (/^\s|^[,;:! ]$/.test(name)) spaced = true;
        push(commandTokens(name));
      }
    } else if (/[a-zA-Z]/.test(character)) {
      const word = at(WORD, source, i);
      i += word.length;
      push(wordTokens(word, source.slice(i, i + 20), spaced && endsValue(tokens.at(-1))));
    } else {
      const pair = source.slice(i, i + 2);
      if (character === '(' || character === '[') brackets++;
      if (character === ')' || character === ']') brackets--;
      if (Object.hasOwn(RELATIONS, pair)) push([['relation', RELATIONS[pair] ?? '']]);
      else if (Object.hasOwn(RELATIONS, character)) push([['relation', RELATIONS[character] ?? '']]);
      else if (character === ',') push([['separator', ',']]);
      else if (character === ';') push([['separator', ';']]);
      else if (pair === '**') push([['mark', '^']]);
      else if (/[-+*/^_()[\]{}|!':%&]/.test(character)) push([['mark', character]]);
      else throw new ParseFailure(`expected mathematics, found ${character}`);
      i += Object.hasOwn(RELATIONS, pair) || pair === '**' ? 2 : 1;
    }
  }
  tokens.push({ type: 'end', value: '', spaced: false });
  return tokens;
}
