/** Cuts a chain of thought into text, formulas, code and names, and these into the words that count. */
import type { Detector } from './detector.ts';
import { type TechnicalKind, technicalWords } from './technical.ts';
import { type Word, wordsOf } from './words.ts';

const CASED = '\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{M}';
/** What is not plain text. Each pattern is bounded in length, or what it matches is never looked at again. */
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

/** One character may become 18: nothing but a chain of such grows so much as a whole. */
const MOST_GROWTH = 4;

/** The words of a chain of thought that count, in their order. */
export function proseWords(chain: string, detector: Detector): Word[] {
  // One form of each letter: full-width and mathematical letters, and letters with signs nobody sees between.
  const text = chain
    .normalize('NFKC')
    .slice(0, MOST_GROWTH * chain.length)
    .replace(/\p{Cf}+/gu, '');
  return pooled(piecesOf(text)).flatMap(({ kind, text: piece }, place) => {
    if (kind === 'nothing') return [];
    if (kind !== 'plain') return technicalWords(kind, piece, detector);
    return wordsOf(lettersJoined(piece), { continues: place > 0 });
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

/** Technical pieces of a kind with nothing but blanks and punctuation between them are one. */
function pooled(pieces: readonly Piece[]): Piece[] {
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

/** Letters with blanks between them, as one word: `p r i m e r o`. */
const lettersJoined = (text: string) => text.replace(LETTERS_APART, (letters) => letters.replace(/\s+/g, ''));
