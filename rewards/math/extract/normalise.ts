import { memoized } from '../memo.ts';
import { AMOUNT_AFTER_NUMBER } from '../parse/amounts.ts';
import { UNIT_WORDS } from '../parse/units.ts';
import { withNounAtEnd } from './bracketed-noun.ts';

/** Symbols, and the LaTeX or ASCII that replaces them. */
const UNICODE: Record<string, string> = {
  '−': '-',
  '–': '-',
  '—': '-',
  '×': '\\times ',
  '·': '\\cdot ',
  '⋅': '\\cdot ',
  '÷': '\\div ',
  '√': '\\sqrt ',
  π: '\\pi ',
  '∞': '\\infty ',
  '≤': '\\le ',
  '⩽': '\\le ',
  '≥': '\\ge ',
  '⩾': '\\ge ',
  '≠': '\\ne ',
  '≈': '\\approx ',
  '∈': '\\in ',
  '∪': '\\cup ',
  '∩': '\\cap ',
  '∅': '\\emptyset ',
  ℝ: '\\R ',
  '±': '\\pm ',
  '°': '^\\circ ',
  '²': '^2',
  '³': '^3',
  '½': '\\frac{1}{2}',
  '¼': '\\frac{1}{4}',
  '¾': '\\frac{3}{4}',
  θ: '\\theta ',
  α: '\\alpha ',
  β: '\\beta ',
  λ: '\\lambda ',
  '\u00a0': ' ',
  '，': ',',
  '；': ';',
  '（': '(',
  '）': ')',
  '：': ':',
  '。': '.',
  '£': '',
  '¥': '',
};
const NON_ASCII = /[^\p{ASCII}]/gu;
/** Symbols that name one currency; £ and ¥ name several, and are dropped. */
const CURRENCIES: Record<string, string> = {
  '€': 'EUR',
  '₹': 'INR',
  '₽': 'RUB',
  '₩': 'KRW',
  '฿': 'THB',
  '¢': 'cents',
};

const asText = (words: string) => `\\text{${words}}`;

const COUNTED =
  'units?|points?|people|students?|ways?|times|items?|apples?|cups?|days?|tons?|degrees?(?:\\s+(?:celsius|centigrade|fahrenheit|[CF]\\b))?';
const ABBREVIATED = 'mph|kmph|km|cm|mm|dm|kg|ml|mi|ft|yd|lbs?|oz|hrs?|mins?|secs?|usd';
const UNIT = `(?:(?:square|sq\\.?|cubic|cu\\.?)\\s*)?(?:${COUNTED}|${UNIT_WORDS.join('|')}|${ABBREVIATED})\\b\\.?(?:\\s*\\^\\s*\\{?-?[1-4]\\}?|\\s+(?:squared|cubed))?`;
/** Letters are units only after a number and a blank, or after another unit: 5 m, km/h. */
const LETTER = '(?:mg|in|[mgslhL])\\b(?:\\s*\\^\\s*\\{?-?[1-4]\\}?)?';
const PER = `(?:\\s*(?:\\/|\\bper\\b)\\s*(?:${UNIT}|${LETTER})){0,2}`;
const END = '\\s*(?=$|[,;<>=)\\]}]|\\\\[lg](?:e|t|eq)\\b|\\b(?:and|or)\\b)';
/** A text command, which stays as it is; or plain units at the end of a quantity: 5 miles per hour, 3 cm^2. */
const UNITS_AFTER = new RegExp(
  `\\\\(?:text\\w{0,8}|mathrm|mbox|operatorname)\\s*\\{[^{}]*\\}|(?<=[\\d})%\\s])(${UNIT}${PER})${END}`,
  'gi',
);
const LETTERS_AFTER = new RegExp(`(?<=\\d )\\s*(${LETTER}${PER})\\s*$`);
/** 3m is a product of a number and a letter, or a length. */
const TOUCHING_LETTERS = new RegExp(`^(-?[\\d.,]+)(${LETTER}${PER})$`);

/** Rewrites, applied in order where the text contains the symbol; each pattern is linear in the text. */
const REWRITES: readonly (readonly [symbol: string, pattern: RegExp, replacement: string])[] = [
  ['', /\\\(|\\\)|(?<!\\)\\\[|(?<!\\)\\\]|\$/g, ' '],
  ['\\', /(?<!\\)\\(?:(?=\s)|$)/g, ' '],
  ['', /(?<=[\d)\]}])(and|or)(?=[A-Z])/g, ' $1 '],
  ['\\!', /(\d)\s?\\?,?\\!\s?,?(?=\d{3})/g, '$1'],
  ['\\!', /\\!\s?/g, ''],
  ['\\', /\\displaystyle|\\textstyle|\\quad(?![a-z])|\\qquad|(?<!\\)\\[,;: ]/g, ' '],
  ['quad', /\\q?quad(?=[a-zA-Z])/g, ' '],
  ['\\circ', /\^\{?\\circ\}?\s?(?:\\(?:text|mathrm)\{([CF])\}|([CF]))\s?$/, '\\text{deg$1$2}'],
  ['{', /\{\s*\\(?:rm|bf|sf|tt)(?![a-zA-Z])\s*(?!\s)([^{}]*)\}/g, '\\text{$1}'],
  ['half', /(?<![\d.])(\d{1,15})\s*(\\text\s*\{\s*)?and\s+(?:a|one)[\s-]half\b/gi, '$1.5$2'],
  ['', /(?<![a-z])(?:percent(?:age)?(?: points?)?|per cent|pct)\b/gi, '%'],
  ['\n', /(?<=\d)\s*\n\s*(?=\d)/g, ' ; '],
  ['\\approx', /^\s*\\approx\s*(?=\S)/, ''],
  ['\\mathbb', /\\mathbb\s*\{?R\}?\s*(?:\^\s*\{?\+\}?|_\s*\{?>\s*0\}?)/g, '(0,\\infty)'],
  ['\\mathbb', /\\mathbb\s*\{?R\}?\s*(?:\^\s*\{?-\}?|_\s*\{?<\s*0\}?)/g, '(-\\infty,0)'],
];
/** 1 000, 1_000 and 1'000 */
const GROUPED = /(?<![\d.,/^_{])[1-9]\d{0,2}(?:(?: \d{3})+|(?:_\d{3})+|(?:'\d{3})+)(?![\d/_'])/g;
/** 1{,}000; other commas in braces are decimal commas. */
const BRACED_COMMA = /(?<![\d.])[1-9]\d{0,2}(?:\s?\{\s?,\s?\}\s?\d{3})+(?!\d)/g;

/** 0.1\overline{6}: repeating digits. */
const REPEATING = /(\d{0,30})\.(\d{0,30})\\(?:overline|bar|dot)\s*(?:\{(\d{1,30})\}|(\d))/g;

/** The fraction that equals a repeating decimal: i.f(r) = (ifr − if) / (10^|f|·(10^|r| − 1)). */
function repeatingFraction(_: string, whole: string, fixed: string, group?: string, digit?: string): string {
  const repeated = group ?? digit ?? '';
  const numerator = BigInt(whole + fixed + repeated) - BigInt(whole + fixed || '0');
  const denominator = 10n ** BigInt(fixed.length) * (10n ** BigInt(repeated.length) - 1n);
  return `\\frac{${numerator}}{${denominator}}`;
}

function trimPunctuation(text: string): string {
  let rest = text.trim();
  // The ! of n! stays: only full stops, commas, semicolons, colons and question marks are removed.
  while (/[.,;:?]$/.test(rest) && !rest.endsWith('..') && !rest.endsWith('\\,'))
    rest = rest.slice(0, -1).trimEnd();
  return rest.replace(/^\*\*|\*\*$/g, '').trim();
}

/** Whether words without a number before them end a bracket: 36 (sq. inches), but not (3 cm). */
function isBracketed(text: string, index: number, length: number): boolean {
  return (
    /^\s*[)\]}]/.test(text.slice(index + length, index + length + 3)) &&
    !/[\d})%]\s?$/.test(text.slice(Math.max(0, index - 2), index))
  );
}

/** Wraps plain units in \text: 5 cm becomes 5\text{cm}. */
function wrapUnits(text: string): string {
  if (!/[\d})%\s][a-zA-Z]/.test(text) || !/\d/.test(text)) return text;
  return text
    .replace(UNITS_AFTER, (match: string, unit: string | undefined, index: number) =>
      unit === undefined || isBracketed(text, index, match.length) ? match : asText(unit),
    )
    .replace(LETTERS_AFTER, (_, unit: string) => asText(unit));
}

/**
 * The answer with the letters that touch its number read as a unit, 3m as three metres; null without such letters.
 */
export function withTouchingUnit(text: string): string | null {
  const wrapped = text.replace(TOUCHING_LETTERS, (_, number: string, unit: string) => number + asText(unit));
  return wrapped === text ? null : wrapped;
}

/**
 * Reads $ as a currency where it is escaped, or where a single $ touches a number, since it cannot open a formula.
 */
function withDollars(text: string): string {
  const dollars = text.match(/(?<!\\)\$/g) ?? [];
  const alone = dollars.length === 1 ? text.replace(/(?<!\\)\$(?=\s*[\d.])|(?<=\d\s?)\$/, '\\$') : text;
  return alone.replace(/\\\$/g, asText('USD'));
}

function plainSymbol(symbol: string): string {
  const currency = CURRENCIES[symbol];
  return currency === undefined ? (UNICODE[symbol] ?? symbol) : asText(currency);
}

/** Removes {,} that separates thousands; any other {,} between digits becomes a decimal point. */
function withoutBracedCommas(text: string): string {
  return text
    .replace(BRACED_COMMA, (digits) => digits.replace(/\s?\{\s?,\s?\}\s?/g, ''))
    .replace(/(\d)\s?\{\s?,\s?\}\s?(?=\d)/g, '$1.');
}

/** An answer's source in one notation, ready for the grammar: LaTeX symbols, units in \text, no final punctuation. */
export const normalise = memoized((source) => {
  // \\frac where a backslash was escaped once too often; in a matrix \\ ends a row.
  const isEscaped = source.includes('\\\\') && !source.includes('\\begin');
  let text = isEscaped ? source.replace(/\\\\(?=[a-zA-Z{}()[\]])/g, '\\') : source;
  if (text.includes('$')) text = withDollars(text);
  text = text.replace(NON_ASCII, plainSymbol);
  text = text.replace(REPEATING, repeatingFraction);
  for (const [symbol, pattern, replacement] of REWRITES) {
    if (text.includes(symbol)) text = text.replace(pattern, replacement);
  }
  text = withNounAtEnd(trimPunctuation(text), asText);
  text = text.replace(GROUPED, (digits) => digits.replace(/[ _']/g, ''));
  if (text.includes(',')) text = withoutBracedCommas(text);
  if (text.includes('^')) text = text.replace(/(?:(?<!\s)\s+)?\^\s*/g, '^');
  text = wrapUnits(text).replace(AMOUNT_AFTER_NUMBER, (_, words: string) => asText(words));
  return trimPunctuation(text);
});

/** The text without formatting and blanks: equal results mean equal answers. */
export function bareText(source: string): string {
  return (
    normalise(source)
      .replace(/\\(?:text(?:bf|it|rm|normal)?|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}/g, '$1')
      .replace(/\\(?:left|right|bigl?|bigr|Bigl?|Bigr)(?![a-zA-Z])/g, '')
      .replace(/\\[dtc]frac/g, '\\frac')
      // 1 1/2 is not 11/2, nor 1, 234 the number 1,234.
      .replace(/(?<=\d)[\s~]+(?=\d)|(?<=\d,)\s+(?=\d{3}(?!\d))/g, '_')
      .replace(/[\s~"`]+/g, '')
      .replace(/^'(.*)'$/, '$1')
      .replace(/^\(?([A-Za-z])\)?[.)]?$/, '$1')
      .replace(/^(?:[A-Z]?[a-z]+|YES|NO|TRUE|FALSE)$/, (word) =>
        word.length > 1 ? word.toLowerCase() : word,
      )
  );
}
