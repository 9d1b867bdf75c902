import { CONCLUSION, CORRECTION, DENIED, DOUBT, hasCue, lastCue, ROUNDED, SAME } from './cues.ts';
import { limits } from './limits.ts';

/** The boxes of a text, and which of several hold its answer. */

interface Box {
  content: string;
  start: number;
  end: number;
}

/** What the boxes at a text's end say. */
export interface BoxedAnswer {
  /** of the last box and of those that belong to it: one answer in parts; none where every box is denied */
  contents: string[];
  /** the last box and one before it that it rounds: one value in two forms */
  forms: string[] | null;
  /** those before it that a conclusion links to it too; null where there are none */
  linked: string[] | null;
  end: number;
}

const BOX = /(?<!\\)\\+f?box(?:ed)?\s*(?=[{\d])/g;
/** Boxes this near to each other are one answer. */
const TOUCHING_CHARACTERS = 10;
const JOINED_CHARACTERS = 70;
/** A doubt is looked for in as much text between two boxes. */
const DOUBTED_CHARACTERS = 200;

/** The index after each {'s }, in one pass. */
function closingBraces(text: string): Map<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '{') open.push(i);
    else if (character === '}') {
      const start = open.pop();
      if (start !== undefined) ends.set(start, i + 1);
    }
  }
  return ends;
}

/** Every \boxed{…}, \fbox{…} and \boxed 5 in order; `unclosed`: whether one that never ends counts. */
function boxesIn(text: string, unclosed: boolean): Box[] {
  const found: Box[] = [];
  const matches = [...text.matchAll(BOX)];
  const ends = matches.length > 0 ? closingBraces(text) : new Map<number, number>();
  for (const match of matches) {
    const open = match.index + match[0].length;
    const end = text[open] === '{' ? (ends.get(open) ?? -1) : open + 1;
    const inner = found.at(-1);
    if (inner && match.index < inner.end) continue;
    if (end > 0) {
      const content = text[open] === '{' ? text.slice(open + 1, end - 1) : text.slice(open, end);
      if (content.trim() !== '') found.push({ content: content.trim(), start: match.index, end });
    } else if (unclosed) {
      const [content = ''] = text.slice(open + 1).split('\n');
      found.push({ content: content.trim(), start: match.index, end: text.length });
    }
  }
  return found;
}

/** How a box stands to the one before it. */
type Link = 'part' | 'correction' | 'same' | 'rounded' | 'conclusion' | 'apart';

const DELIMITERS = /\\(?:text\w*|mathrm|mbox|q?quad|[()[\],;:! ])|[{}$*~]/g;
const JOINS = /\b(?:and|or)\b|[,;，；、和与及]/;
const SENTENCE_END = /[.!?](?=\s+\p{Lu})|[。！？]|\n\s*\n/u;
/** = , or + 1 = */
const COMPUTED = /^\s*(?:[-+*/^][^,;]{0,40})?=\s*$/;
/** A label, or a condition, under which the next box is another part. */
const OTHER_PART =
  /(?<!\p{L})(?:(?:answer|option|part|case|candidate|guess|possibility|solution|question)\s*\(?(?:\d|[a-z](?!\p{L}))|if|otherwise|unless)|(?:^|\n)\s{0,20}\(?[a-z\d]\)/iu;
/** A doubt stands as near to the box that it concerns. */
const NEAR = 30;

function linkOf(between: string): Link {
  if (between.length > DOUBTED_CHARACTERS) return 'apart';
  const words = between.replace(DELIMITERS, ' ');
  const [doubt, correction] = [lastCue(words, DOUBT), lastCue(words, CORRECTION)];
  if (doubt > correction && words.length - doubt <= NEAR && !SENTENCE_END.test(words.slice(doubt)))
    return 'part';
  if (correction >= 0) return 'correction';
  if (hasCue(words, ROUNDED)) return 'rounded';
  if (COMPUTED.test(words) || hasCue(words, SAME)) return 'same';
  if (between.length < JOINED_CHARACTERS && OTHER_PART.test(words)) return 'part';
  if (hasCue(words, CONCLUSION)) return 'conclusion';
  if (between.length < TOUCHING_CHARACTERS) return 'part';
  if (between.length >= JOINED_CHARACTERS || !JOINS.test(words)) return 'apart';
  return SENTENCE_END.test(words) ? 'conclusion' : 'part';
}

/** A bound before a box is part of the sentence around it: "at least \boxed{17} of them". */
const isDenied = (text: string, { start }: Box) => DENIED.test(text.slice(Math.max(0, start - 30), start));

/**
 * The boxed answer of a response, or of a ground truth (`truth`: a box that never ends counts, and what a
 * conclusion links is one answer). Boxes side by side, or with a comma, "and" or "or" between them, are one
 * answer: a second guess makes a list, which is no single value. After a correction or a conclusion, and where
 * the same value is said again, the last box counts. A box that is denied does not.
 */
export function boxedAnswer(text: string, { truth }: { truth: boolean }): BoxedAnswer | null {
  const all = boxesIn(text, truth);
  const said = all.slice(-1 - limits.elements).filter((box) => truth || !isDenied(text, box));
  let next = said.at(-1);
  if (next === undefined)
    return all.length === 0 ? null : { contents: [], forms: null, linked: null, end: 0 };
  const { end } = next;
  const [contents, linked] = [[next.content], [next.content]];
  let forms: string[] | null = null;
  let concluded = false;
  for (const box of said.slice(0, -1).reverse()) {
    const link = linkOf(text.slice(box.end, next.start));
    if (link === 'rounded' && contents.length === 1) forms = [box.content, `≈ ${contents[0]}`];
    if (link !== 'part' && link !== 'conclusion') break;
    concluded ||= link === 'conclusion' && !truth;
    if (box.content !== linked[0]) linked.unshift(box.content);
    if (!concluded && box.content !== contents[0]) contents.unshift(box.content);
    next = box;
  }
  return { contents, forms, linked: linked.length > contents.length ? linked : null, end };
}
