/** Signs that have a LaTeX name. */
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
};
const NON_ASCII = /[^\p{ASCII}]/gu;
const CURRENCY = /[€£¥₹₽₩฿]/g;

const UNIT_WORDS =
  'square|sq|cubic|cu|centimet(?:er|re)s?|millimet(?:er|re)s?|kilomet(?:er|re)s?|met(?:er|re)s?|inch(?:es)?|foot|feet|yards?|miles?|acres?|hectares?|grams?|kilograms?|pounds?|ounces?|tons?|lit(?:er|re)s?|gallons?|quarts?|pints?|cups?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|degrees?|radians?|dollars?|cents?|euros?|rupees?|yuan|pesos?|units?|points?|people|students?|ways?|times|items?|apples?|per|mph|kmph|km|cm|mm|dm|kg|mg|ml|mi|ft|yd|lbs?|oz|hrs?|mins?|secs?|usd|m/s|km/h';
/** Plain units after a quantity; single letters only where they touch nothing else: 5 m, 3m^2. */
const TRAILING_UNITS = new RegExp(
  `(?<=[\\d})\\s])\\s*(?:(?:${UNIT_WORDS})\\b\\.?|(?<=\\d )[mgslhL]\\b)(?:\\s*\\^\\s*\\{?[23]\\}?)?\\s*$`,
  'i',
);
/** 1,000.99m^2 */
const TOUCHING_UNITS = /(?<=^-?[\d.,]+)(?:km|cm|mm|m|kg|g|ft|in|s|h|L)(?:\^\{?[23]\}?)?$/;

/** Rewrites one after the other; each pattern is linear in the text. */
const REWRITES: readonly (readonly [RegExp, string])[] = [
  [/\\\(|\\\)|(?<!\\)\\\[|(?<!\\)\\\]|\$/g, ' '],
  [/(?<!\\)\\(?:(?=\s)|$)/g, ' '],
  [/(?<=[\d)\]}])(and|or)(?=[A-Z])/g, ' $1 '],
  [/(\d)\s?\\?,?\\!\s?,?(?=\d{3})/g, '$1'],
  [/(\d)\s?\{\s?,\s?\}\s?(?=\d)/g, '$1'],
  [/\\!\s?/g, ''],
  [/\\displaystyle|\\textstyle|\\quad(?![a-z])|\\qquad|(?<!\\)\\[,;: ]/g, ' '],
  [/\\q?quad(?=[a-zA-Z])/g, ' '],
  [/\^\{?\\circ\}?\s?(?:\\(?:text|mathrm)\{[CF]\}|[CF])\s?$/, ''],
  [/(?<=\d)\s*million\b/gi, '\\times 10^6'],
  [/(?<=\d)\s*billion\b/gi, '\\times 10^9'],
  [/(?<![a-z])(?:percent(?:age)?|pct)\b/gi, '%'],
  [/(?<=\d)\s*\n\s*(?=\d)/g, ' ; '],
  [/^\s*\\approx\s*(?=\S)/, ''],
  [/\\mathbb\s*\{?R\}?\s*(?:\^\s*\{?\+\}?|_\s*\{?>\s*0\}?)/g, '(0,\\infty)'],
  [/\\mathbb\s*\{?R\}?\s*(?:\^\s*\{?-\}?|_\s*\{?<\s*0\}?)/g, '(-\\infty,0)'],
];
const SPACED_THOUSANDS = /(?<![\d.,/^_{])[1-9]\d{0,2}(?: \d{3})+(?![\d/])/g;

/** 0.1\overline{6}: digits that repeat for ever. */
const REPEATING = /(\d{0,30})\.(\d{0,30})\\(?:overline|bar|dot)\s*(?:\{(\d{1,30})\}|(\d))/g;

/** The fraction that a repeating decimal is: i.f(r) = (ifr − if) / (10^|f|·(10^|r| − 1)). */
function repeatingFraction(_: string, whole: string, fixed: string, group?: string, digit?: string): string {
  const repeated = group ?? digit ?? '';
  const numerator = BigInt(whole + fixed + repeated) - BigInt(whole + fixed || '0');
  const denominator = 10n ** BigInt(fixed.length) * (10n ** BigInt(repeated.length) - 1n);
  return `\\frac{${numerator}}{${denominator}}`;
}

function trimPunctuation(text: string): string {
  let rest = text.trim();
  // n! keeps its sign: only full stops, commas, semicolons, colons and question marks go.
  while (/[.,;:?]$/.test(rest) && !rest.endsWith('..') && !rest.endsWith('\\,'))
    rest = rest.slice(0, -1).trimEnd();
  return rest.replace(/^\*\*|\*\*$/g, '').trim();
}

function dropUnits(text: string): string {
  let rest = text;
  for (let i = 0; i < 4; i++) {
    const shorter = rest.replace(TRAILING_UNITS, '').trimEnd();
    if (shorter === rest || !/\d/.test(shorter)) break;
    rest = shorter;
  }
  return rest.replace(TOUCHING_UNITS, '');
}

let [lastSource, lastText] = ['', ''];

/**
 * An answer's source, ready for the grammar: one notation for signs, no units, no sentence around it. The last
 * one is kept: extraction, comparison as text and parsing ask for the same one in turn.
 */
export function normalise(source: string): string {
  if (source !== lastSource) [lastSource, lastText] = [source, normalised(source)];
  return lastText;
}

function normalised(source: string): string {
  // \\frac where a backslash was escaped once too often; in a matrix \\ ends a row.
  let text = source.includes('\\begin') ? source : source.replace(/\\\\(?=[a-zA-Z{}()[\]])/g, '\\');
  text = text.replace(NON_ASCII, (sign) => UNICODE[sign] ?? sign).replace(CURRENCY, '');
  text = text.replace(/\\\$/g, '');
  text = text.replace(REPEATING, repeatingFraction);
  for (const [pattern, replacement] of REWRITES) text = text.replace(pattern, replacement);
  text = trimPunctuation(text);
  text = text.replace(SPACED_THOUSANDS, (digits) => digits.replaceAll(' ', ''));
  text = text.replace(/\s*\^\s*/g, '^');
  return trimPunctuation(dropUnits(text));
}

/** Text with nothing but its characters left: equal texts are equal answers. */
export function bareText(source: string): string {
  return normalise(source)
    .replace(/\\(?:text(?:bf|it|rm|normal)?|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}/g, '$1')
    .replace(/\\(?:left|right|bigl?|bigr|Bigl?|Bigr)(?![a-zA-Z])/g, '')
    .replace(/\\[dtc]frac/g, '\\frac')
    .replace(/[\s~"'`]+/g, '')
    .replace(/^\(?([A-Za-z])\)?[.)]?$/, '$1')
    .replace(/^(?:[A-Z]?[a-z]+|YES|NO|TRUE|FALSE)$/, (word) => (word.length > 1 ? word.toLowerCase() : word));
}
