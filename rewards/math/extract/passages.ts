/** Mathematics and numbers within prose. */
import { DENIED_OR_BOUND } from './cues.ts';

/** Mathematics between delimiters. Inline mathematics does not cross a line, and none contains its own opening. */
export const ENVIRONMENTS =
  /(?<!\\)\$\$(?<dollars>(?:[^$]|\\\$){1,2000}?)\$\$|\\\[(?<brackets>(?:(?!(?<!\\)\\\[)[\s\S]){1,2000}?)\\\]|(?<![\\\d])\$(?<dollar>(?:\\.|[^\n$\\]){1,1000})\$|\\\((?<parentheses>(?:(?!(?<!\\)\\\()[^\n]){1,1000}?)\\\)|(?<fraction>-?\\[dt]?frac\{-?[\d.]{1,50}\}\{[\d.]{1,50}\})/g;
const PERCENT = /^\s*(?:\\?%|percent(?:age)?|pct)/i;
const BETWEEN_ENVIRONMENTS = /^\s*(?:(?:,\s*)?(?:and|or)|,)\s*$/;

/** Mathematics or a number, and its position in the text. */
export interface Found {
  content: string;
  start: number;
  end: number;
}

export function environments(text: string): Found[] {
  return [...text.matchAll(ENVIRONMENTS)].map((match) => {
    const content = Object.values(match.groups ?? {}).find((group) => group !== undefined) ?? '';
    const end = match.index + match[0].length;
    const percent = PERCENT.exec(text.slice(end, end + 20))?.[0] ?? '';
    return { content: percent ? `${content}%` : content, start: match.index, end: end + percent.length };
  });
}

/** `$1$, $2$ and $3$` is one answer: the run of environments that holds the one at `index`. */
export function joined(text: string, all: Found[], index: number): Found | null {
  const chosen = all[index];
  if (!chosen) return null;
  let [from, to] = [index, index];
  const linked = (a: number) =>
    BETWEEN_ENVIRONMENTS.test(text.slice(all[a]?.end ?? 0, all[a + 1]?.start ?? 0));
  while (from > 0 && linked(from - 1)) from--;
  while (to < all.length - 1 && linked(to)) to++;
  const run = all.slice(from, to + 1);
  return {
    content: run.map(({ content }) => content).join(' ; '),
    start: chosen.start,
    end: run.at(-1)?.end ?? 0,
  };
}

/** A plain number or fraction without a letter directly before it: not the 2 of AZYUK2A. */
const NUMBER =
  /(?<![\w.\\^])(?:-\s?)?\$?(?:[1-9]\d{0,2}(?:[ ,]\d{3})+(?!\d)(?:\.\d+)?|\d+[.,]\d+|\.\d+|\d+)(?:\s\d+\/\d+|\s?\/\s?\d+(?:\.\d+)?)?(?:\s*(?:%|percent|pct))?/gi;

function numbers(text: string): Found[] {
  return [...text.matchAll(NUMBER)].map((match) => ({
    content: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** The last number that `counts` and is not denied ("not 12"). */
export function lastNumber(text: string, counts: (found: Found) => boolean = () => true): Found | undefined {
  return numbers(text).findLast(
    (found) => counts(found) && !DENIED_OR_BOUND.test(text.slice(Math.max(0, found.start - 30), found.start)),
  );
}

const FUNCTION = /(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?/gi;
/** Functions and letters without blanks between them, as in 2sinxcosx; raisins, tanks and costs remain words. */
const OF_FUNCTIONS = /^(?:(?:arc|[a-z]{0,2})(?:sin|cos|tan|cot|sec|csc)){1,6}(?:[a-z]|[a-rt-z]{2})?$/i;

/** Whether words remain once commands, texts and functions are removed. */
export function isProse(text: string): boolean {
  const rest = text
    .replace(/\\(?:text\w*|mathrm|mathbf|mbox|operatorname)\s*\{[^{}]*\}/g, ' ')
    .replace(/\\(?:begin|end)\s*\{[^{}]*\}/g, ' ')
    .replace(/\\[a-zA-Z]+/g, ' ')
    .replace(/sqrt|infinity|percentage|percent|\b(?:and|or)\b/gi, ' ; ')
    .replace(/(?<!\p{L})\p{L}{3,30}(?!\p{L})/gu, (word) =>
      OF_FUNCTIONS.test(word) ? word.replace(FUNCTION, ' ; ') : word,
    );
  return /\p{L}\p{Ll}{3}|\p{Lo}{2}|\b\p{Ll}{2,}['’]?\p{Ll}*\s+\p{Ll}{2}/u.test(rest);
}
