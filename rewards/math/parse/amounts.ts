import type { BareToken } from './token-cursor.ts';

const times = (power: number): BareToken[] => [
  ['mark', '*'],
  ['number', `1${'0'.repeat(power)}`],
];
const over = (n: number): BareToken[] => [
  ['mark', '/'],
  ['number', String(n)],
];

/** Words that change the amount before them, as the tokens of equal meaning. */
const AMOUNTS: Record<string, BareToken[]> = {
  hundred: times(2),
  thousand: times(3),
  lakh: times(5),
  million: times(6),
  mn: times(6),
  crore: times(7),
  billion: times(9),
  bn: times(9),
  trillion: times(12),
  quadrillion: times(15),
  dozen: [
    ['mark', '*'],
    ['number', '12'],
  ],
  half: over(2),
  halve: over(2),
  third: over(3),
  fourth: over(4),
  fifth: over(5),
  sixth: over(6),
  seventh: over(7),
  eighth: over(8),
  ninth: over(9),
  tenth: over(10),
  hundredth: over(100),
  thousandth: over(1_000),
  millionth: over(1_000_000),
  '%': [['mark', '%']],
  percent: [['mark', '%']],
  percentage: [['mark', '%']],
  pct: [['mark', '%']],
  factorial: [['mark', '!']],
};
/** Words that are powers where no unit follows: 6 squared, but not 6 squared meters. */
const RAISED: Record<string, BareToken[]> = {
  squared: [
    ['mark', '^'],
    ['number', '2'],
  ],
  cubed: [
    ['mark', '^'],
    ['number', '3'],
  ],
};

/** Words that turn the value before them into a bound. */
const BOUND =
  /\b(?:or|and) (?:more|less|fewer|greater|higher|lower|above|below|up|over|under|older|younger|longer)\b|\bat (?:least|most)\b|\b(?:more|less|fewer|greater) than\b|\bbelow zero\b/i;

/**
 * The tokens of words that follow a value: "million dollars" is a factor and a unit. A bound becomes a symbol that
 * multiplies the value. Thus "5 or more" equals no number.
 */
export function wordsAfterValue(words: string): BareToken[] {
  if (BOUND.test(words)) {
    return [
      ['mark', '*'],
      ['letter', `"${words.toLowerCase()}"`],
    ];
  }
  const raised = RAISED[words.toLowerCase()];
  if (raised) return raised;
  const [first = '', ...rest] = words.replace(/^per cent\b/i, 'percent').split(' ');
  const lower = first.toLowerCase();
  const singular = lower.replace(/s$/, '');
  const name = Object.hasOwn(AMOUNTS, lower) ? lower : singular;
  if (!Object.hasOwn(AMOUNTS, name)) return [['text', words]];
  const own = AMOUNTS[name] ?? [];
  const others = /^(?:%|perc)/.test(name) && /^points?$/.test(rest[0] ?? '') ? rest.slice(1) : rest;
  return others.length === 0 ? own : [...own, ...wordsAfterValue(others.join(' '))];
}

const PLAIN = Object.keys(AMOUNTS)
  .filter((word) => !/^(?:%|perc|pct|mn|bn)/.test(word))
  .join('|');

/** The same words after a number in plain text. */
export const AMOUNT_AFTER_NUMBER = new RegExp(
  `(?<=\\d)\\s*((?:${PLAIN})s?|(?:squared|cubed)(?!\\s*[a-z]))\\b`,
  'gi',
);
