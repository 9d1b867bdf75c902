/**
 * A text as units, of which runs are made: words, and letters of scripts without spaces between words. Each unit
 * has a weight, so that a run carries about as much in every script.
 */

/** A word's weight; a letter of a spaceless script weighs a fraction of it. */
const WORD_WEIGHT = 6;

/** Ten words of English correspond to 15 letters of Han, 20 of kana, 30 of the other scripts. */
const LETTER_WEIGHTS: [RegExp, number][] = [
  [/^\p{Script=Han}/u, 4],
  [/^[\p{scx=Hiragana}\p{scx=Katakana}]/u, 3],
  [/^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u, 2],
];

const SPACELESS =
  '\\p{Script=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}' +
  '\\p{Script=Myanmar}\\p{Script=Tibetan}';
/** Marks belong to the letter before them; digits are words in every script. */
const UNIT = new RegExp(
  `(?=\\p{L})[${SPACELESS}]\\p{M}*|(?:(?!(?=\\p{L})[${SPACELESS}])[\\p{L}\\p{M}\\p{N}])+`,
  'gu',
);
const IS_SPACELESS = new RegExp(`^[${SPACELESS}]`, 'u');

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const IS_ASCII = /^[\x00-\x7f]*$/;

export interface Units {
  /** in their order, in lower case, in Unicode's form NFKC */
  texts: readonly string[];
  weights: readonly number[];
}

/** The units of a text. Punctuation and white space are left out. */
export function unitsOf(text: string): Units {
  const lower = text.normalize('NFKC').toLowerCase();
  // most text is ASCII, and Unicode patterns are slow
  if (IS_ASCII.test(lower)) {
    const words = lower.match(/[a-z0-9]+/g) ?? [];
    return { texts: words, weights: words.map(() => WORD_WEIGHT) };
  }
  const texts = lower.match(UNIT) ?? [];
  return { texts, weights: texts.map(weightOf) };
}

function weightOf(unit: string): number {
  if (unit.charCodeAt(0) < 0x0e00 || !/^\p{L}/u.test(unit)) return WORD_WEIGHT;
  return LETTER_WEIGHTS.find(([script]) => script.test(unit))?.[1] ?? WORD_WEIGHT;
}

/** Units `begin` … `end` − 1 of a text, which together weigh as much as a number of words. */
export interface Run {
  text: string;
  begin: number;
  end: number;
}

/** Every shortest run that weighs at least `words` words, in order. */
export function* runsOf({ texts, weights }: Units, words: number): Generator<Run> {
  const needed = words * WORD_WEIGHT;
  let end = 0;
  let weight = 0;
  for (let begin = 0; begin < texts.length; begin++) {
    while (weight < needed && end < texts.length) weight += weights[end++] ?? 0;
    if (weight < needed) return;
    yield { text: texts.slice(begin, end).join(' '), begin, end };
    weight -= weights[begin] ?? 0;
  }
}

/** A run in usual spelling: no spaces between letters of a spaceless script. */
export function readable(run: string): string {
  const units = run.split(' ');
  return units
    .map((unit, i) => {
      const before = units[i - 1];
      const joined = before === undefined || (IS_SPACELESS.test(unit) && IS_SPACELESS.test(before));
      return joined ? unit : ` ${unit}`;
    })
    .join('');
}
