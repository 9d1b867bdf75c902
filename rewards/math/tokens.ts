import { limits, OverLimit, ParseFailure } from './limits.ts';

/** `spaced`: white space stands before it. */
export interface Token {
  type: 'number' | 'letter' | 'command' | 'text' | 'function' | 'separator' | 'relation' | 'mark' | 'end';
  value: string;
  spaced: boolean;
}

/** What a comma between digits means: 1,234 a number; 1,22 a decimal; else a separator. */
export type Commas = 'thousands' | 'decimal' | 'separator';

export const FUNCTIONS = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan arccot asin acos atan sinh cosh tanh coth log ln lg exp max min gcd lcm floor ceil abs sqrt cbrt'.split(
    ' ',
  ),
);

const WORDS: Record<string, [Token['type'], string]> = {
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

const NUMBER: Record<Commas, RegExp> = {
  thousands: /[1-9]\d{0,2}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+\.\d+|\.\d+|\d+/y,
  decimal: /\d+[.,]\d+|\.\d+|\d+/y,
  separator: /\d+\.\d+|\.\d+|\d+/y,
};
const SCIENTIFIC = /[eE][+-]?\d{1,3}(?![\d.])/y;
const COMMAND = /\\(?:[a-zA-Z]+|[^a-zA-Z])/y;
const WORD = /[a-zA-Z]+/y;

function at(pattern: RegExp, source: string, index: number): string {
  pattern.lastIndex = index;
  return pattern.exec(source)?.[0] ?? '';
}

/** The index after the `}` that closes the `{` at `open`; −1 where none does. */
export function closingBrace(source: string, open: number): number {
  let depth = 0;
  for (let i = open; i < source.length; i++) {
    const character = source[i];
    if (character === '\\') i++;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return i + 1;
  }
  return -1;
}

function wordTokens(word: string): [Token['type'], string][] {
  const lower = word.toLowerCase();
  if (FUNCTIONS.has(lower)) return [['function', lower]];
  const known = Object.hasOwn(WORDS, lower) ? WORDS[lower] : undefined;
  if (known) return [known];
  return [...word].map((letter) => ['letter', letter]);
}

function textTokens(command: string, inside: string): [Token['type'], string][] {
  const words = inside.replace(/[\s~\\]+/g, ' ').trim();
  if (words === '') return [];
  if (/^(,? ?(and|or),?|,)$/i.test(words)) return [['separator', ';']];
  if (/^[a-zA-Z]$/.test(words)) return [['letter', words]];
  if (/^[\d.]+$/.test(words)) return [['number', words]];
  if (FUNCTIONS.has(words) && !command.startsWith('text')) return [['function', words]];
  if (/^(%|percent|percentage|pct)$/i.test(words)) return [['mark', '%']];
  return [['text', words]];
}

function commandTokens(name: string): [Token['type'], string][] {
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
  const push = (list: [Token['type'], string][]) => {
    for (const [type, value] of list) tokens.push({ type, value, spaced });
    if (list.length > 0) spaced = false;
  };
  while (i < source.length) {
    const character = source[i] ?? '';
    if (/\s/.test(character) || (character === '~' && source[i + 1] !== '=')) {
      spaced = true;
      i++;
    } else if (/[\d.]/.test(character)) {
      // Inside brackets a comma separates.
      const number = at(NUMBER[brackets > 0 ? 'separator' : commas], source, i);
      if (number === '') throw new ParseFailure(`expected a number, found ${source.slice(i, i + 9)}`);
      i += number.length;
      const exponent = at(SCIENTIFIC, source, i);
      i += exponent.length;
      const plain = commas === 'decimal' ? number.replace(',', '.') : number.replaceAll(',', '');
      push([['number', plain + exponent]]);
    } else if (character === '\\') {
      const name = at(COMMAND, source, i).slice(1);
      i += name.length + 1;
      const open = source.slice(i).search(/\S/) + i;
      if (TEXT_COMMANDS.has(name) && source[open] === '{') {
        const end = closingBrace(source, open);
        if (end < 0) throw new ParseFailure('expected } after a text, found the end');
        push(textTokens(name, source.slice(open + 1, end - 1)));
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
      push(wordTokens(word));
      i += word.length;
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
