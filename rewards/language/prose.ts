/** Splits a chain of thought into text, formulas, code and names, and takes the words that count from each. */
import type { Detector } from './detector.ts';
import { type TechnicalKind, technicalWords } from './technical.ts';
import { type Word, wordsOf } from './words.ts';

const CASED = '\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{M}';
/** Parts that are not plain text. Each pattern is bounded in length, or consumes all that it scans. */
const PATTERNS: Record<TechnicalKind | 'nothing', string> = {
  code: '(?<fence>```|~~~)[^]*?(?:\\k<fence>|$)|`[^`]{1,500}`',
  formula: [
    '\\$\\$[^$]{1,2000}\\$\\$',
    '\\$[^$]{1,500}\\$',
    '\\\\\\[(?:[^\\\\]|\\\\(?![[\\]])){0,2000}\\\\\\]',
    '\\\\\\((?:[^\\\\]|\\\\(?![()])){0,500}\\\\\\)',
    '\\\\(?:text|mbox|mathrm|operatorname)\\s?\\{[^{}]{0,200}\\}',
  ].join('|'),
  nothing: '\\\\(?:begin|end)\\s?\\{[^{}]{0,40}\\}|\\\\[A-Za-z]{1,40}',
  link: '\\b[a-z]{2,10}:\\/\\/[^\\s]{1,500}',
  name: [
    '<\\/?[a-z]{1,20}>',
    `(?<![${CASED}\\p{N}_])(?=[\\p{N}_]{0,60}\\p{L})(?=[${CASED}\\p{N}_]{0,60}(?:[\\p{N}_]|\\p{Ll}\\p{Lu}))[${CASED}\\p{N}_]+`,
  ].join('|'),
};
const TECHNICAL = new RegExp(
  Object.entries(PATTERNS)
    .map(([kind, pattern]) => `(?<${kind}>${pattern})`)
    .join('|'),
  'gu',
);

interface Piece {
  kind: TechnicalKind | 'plain' | 'nothing';
  text: string;
}

/** NFKC may replace one character by 18; text that grows more than this as a whole is cut. */
const MOST_GROWTH = 4;

/** The words of a chain of thought that count, in order. */
export function proseWords(chain: string, detector: Detector): Word[] {
  // One form of each letter: replaces full-width and mathematical letters, and removes invisible characters.
  const text = chain
    .normalize('NFKC')
    .slice(0, MOST_GROWTH * chain.length)
    .replace(/\p{Cf}+/gu, '');
  return merged(piecesOf(text)).flatMap(({ kind, text: piece }, index) => {
    if (kind === 'nothing') return [];
    if (kind !== 'plain') return technicalWords(kind, piece, detector);
    return wordsOf(lettersJoined(piece), { continues: index > 0 });
  });
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(TECHNICAL)) {
    if (match.index > from) pieces.push({ kind: 'plain', text: text.slice(from, match.index) });
    pieces.push(pieceOf(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ kind: 'plain', text: text.slice(from) });
  return pieces;
}

function pieceOf({ 0: text, groups }: RegExpMatchArray): Piece {
  const kinds = Object.keys(PATTERNS) as (keyof typeof PATTERNS)[];
  const kind = kinds.find((each) => groups?.[each] !== undefined) ?? 'nothing';
  if (kind === 'code') {
    const fence = groups?.fence;
    const inside = fence === undefined ? text.slice(1, -1) : text.slice(fence.length).replace(fence, '');
    return { kind, text: inside.replace(fence === undefined ? /^$/ : /^[\w+#.-]{0,20}\r?\n/, '') };
  }
  return { kind, text: kind === 'formula' ? text.replace(/^\$+|(?<!\$)\$+$|^\\[[(]|\\[\])]$/g, '') : text };
}

/** Joins pieces of one kind with only blanks and punctuation between them. */
function merged(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'plain' && /^[\s\p{P}]*$/u.test(piece.text)) continue;
    const last = joined.at(-1);
    if (last && last.kind === piece.kind) last.text += ` ${piece.text}`;
    else joined.push({ ...piece });
  }
  return joined;
}

const LETTERS_APART =
  /(?<![\p{L}\p{N}])(?:\p{Script=Latin}\p{M}*\s{1,9}){4,}\p{Script=Latin}(?![\p{L}\p{N}])/gu;

/** Joins letters with blanks between them into one word: `p r i m e r o`. */
const lettersJoined = (text: string) => text.replace(LETTERS_APART, (letters) => letters.replace(/\s+/g, ''));
