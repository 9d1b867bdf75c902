/** Numbers in English words: twelve, twenty-five, two thirds, five and a half. */

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const UNITS = new Map([
  ...SMALL.map((word, i) => [word, BigInt(i)] as const),
  ...TENS.map((word, i) => [word, BigInt(10 * (i + 2))] as const),
]);
const SCALES = new Map([
  ['dozen', 12n],
  ['thousand', 1_000n],
  ['million', 1_000_000n],
  ['billion', 1_000_000_000n],
  ['trillion', 1_000_000_000_000n],
]);
const PARTS = new Map(
  'half:2 third:3 quarter:4 fourth:4 fifth:5 sixth:6 seventh:7 eighth:8 ninth:9 tenth:10 hundredth:100'
    .split(' ')
    .map((each) => each.split(':') as [string, string]),
);
const ORDINAL = /^(?:first|second|\w+th)$/;

interface Counted {
  value: bigint;
  /** index of the word after it */
  next: number;
}

/** A whole number that starts at the word `start`. */
function wholeAt(words: readonly string[], start: number): Counted | null {
  let [total, current, next, known] = [0n, 0n, start, false];
  for (;;) {
    const word = words[next] ?? '';
    const unit = UNITS.get(word);
    const scale = SCALES.get(word);
    // "a hundred", and "and" within "one hundred and five".
    if (word === 'a' && !known && /^(?:hundred|dozen|thousand|.illion)$/.test(words[next + 1] ?? ''))
      current = 1n;
    else if (unit !== undefined && fits(unit, current)) current += unit;
    else if (word === 'hundred' && current > 0n && current < 100n) current *= 100n;
    else if (scale !== undefined && current > 0n) [total, current] = [total + current * scale, 0n];
    else if (
      word !== 'and' ||
      !/^(?:hundred|thousand|.illion)$/.test(words[next - 1] ?? '') ||
      !UNITS.has(words[next + 1] ?? '')
    )
      return known ? { value: total + current, next } : null;
    known = true;
    next++;
  }
}

/** Whether a number word can follow: 5 after 20 or 100, 20 after 100, nothing after 5. */
function fits(unit: bigint, current: bigint): boolean {
  if (current === 0n) return true;
  if (unit === 0n) return false;
  return unit < 10n ? current % 10n === 0n && current % 100n !== 10n : current % 100n === 0n;
}

/** A fraction such as "two thirds" or "a half" that starts at the word `start`, as n/d. */
function fractionAt(words: readonly string[], start: number): { text: string; next: number } | null {
  const [first] = words.slice(start);
  const one = first === 'a' ? start + 1 : start;
  const top = first === 'a' || first === 'half' ? { value: 1n, next: one } : wholeAt(words, start);
  if (top === null) return null;
  const word = words[top.next] ?? '';
  const singular = word === 'halves' ? 'half' : word.replace(/s$/, '');
  const bottom = PARTS.get(singular);
  const agrees = (top.value === 1n) === (word === singular);
  return bottom === undefined || !agrees ? null : { text: `${top.value}/${bottom}`, next: top.next + 1 };
}

/** First letters of such numbers. A fast test, since most texts do not start with a number in words. */
const FIRST = /^(?:a |half|on|tw|th|fo|fi|s[ie]|ei|ni|te|el|ze)/i;
const WORDS = /([a-z]+)(?:-|\s+|$|(?=[^a-z]))/giy;

/** The number in words at the start of a text: its digits, and its length in characters; null without one. */
export function numberInWords(text: string): { digits: string; length: number } | null {
  if (!FIRST.test(text)) return null;
  const found = [...text.slice(0, 160).matchAll(WORDS)];
  const words = found.map(([, word = '']) => word.toLowerCase());
  const read = readNumber(words);
  if (read === null) return null;
  const last = found[read.next - 1];
  return { digits: read.digits, length: (last?.index ?? 0) + (last?.[1]?.length ?? 0) };
}

function readNumber(words: readonly string[]): { digits: string; next: number } | null {
  const fraction = fractionAt(words, 0);
  if (fraction !== null) return { digits: fraction.text, next: fraction.next };
  const whole = wholeAt(words, 0);
  if (whole === null) return null;
  const after = words[whole.next] ?? '';
  const mixed = after === 'and' ? fractionAt(words, whole.next + 1) : null;
  if (mixed !== null) return { digits: `${whole.value} ${mixed.text}`, next: mixed.next };
  // "twenty-fifth", "two third" and "nineteen ninety" are not numbers.
  if (ORDINAL.test(after) || PARTS.has(after) || UNITS.has(after)) return null;
  return { digits: `${whole.value}`, next: whole.next };
}
