import { limits } from '../limits.ts';
import { CONCLUSION, CORRECTION, DENIED, DOUBT, hasCue, lastCue, ROUNDED, SAME } from './cues.ts';

/** The boxes of a text, and which of them hold the answer. */

interface Box {
  content: string;
  start: number;
  end: number;
}

/** The answer that the boxes at a text's end give. */
export interface BoxedAnswer {
  /** contents of the last box and of the boxes that belong to it: one answer in parts; empty where all are denied */
  contents: string[];
  /** where the last box rounds the one before it: both, as two forms of one value */
  forms: string[] | null;
  /** `contents` together with earlier boxes that a conclusion links to them; null without such boxes */
  linked: string[] | null;
  end: number;
}

const BOX = /(?<!\\)\\+f?box(?:ed)?\s*(?=[{\d])/g;
/** Boxes with less text than this between them are one answer. */
const TOUCHING_CHARACTERS = 10;
/** Boxes joined by a comma, "and" or "or" are one answer where less text than this is between them. */
const JOINED_CHARACTERS = 70;
/** Boxes with more text than this between them are unrelated. */
const RELATED_CHARACTERS = 200;

/** For each `{`, the index after the `}` that closes it; linear in the text. */
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

/** Every \boxed{…}, \fbox{…} and \boxed 5 in order; `unclosed`: whether a box without an end counts. */
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

/** How a box relates to the one before it. */
type Link = 'part' | 'correction' | 'same' | 'rounded' | 'conclusion' | 'apart';

const DELIMITERS = /\\(?:text\w*|mathrm|mbox|q?quad|[()[\],;:! ])|[{}$*~]/g;
const JOINS = /\b(?:and|or)\b|[,;，；、和与及]/;
const SENTENCE_END = /[.!?](?=\s+\p{Lu})|[。！？]|\n\s*\n/u;
/** `=`, or `+ 1 =` */
const COMPUTED = /^\s*(?:[-+*/^][^,;]{0,40})?=\s*$/;
/** A label or a condition: the next box is another part of the answer. */
const OTHER_PART =
  /(?<!\p{L})(?:(?:answer|option|part|case|candidate|guess|possibility|solution|question)\s*\(?(?:\d|[a-z](?!\p{L}))|if|otherwise|unless)|(?:^|\n)\s{0,20}\(?[a-z\d]\)/iu;
/** Characters between a word of doubt and the box that it concerns. */
const NEAR = 30;

function linkOf(between: string): Link {
  if (between.length > RELATED_CHARACTERS) return 'apart';
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

/** Whether a word of denial precedes a box. A bound does not count: "at least \boxed{17} of them" is an answer. */
const isDenied = (text: string, { start }: Box) => DENIED.test(text.slice(Math.max(0, start - 30), start));

/**
 * The boxed answer of a response, or of a ground truth (`truth`: a box without an end counts, and boxes that a
 * conclusion links are one answer). Boxes side by side, or with a comma, "and" or "or" between them, are one answer.
 * A second guess therefore makes a list, which equals no single value. After a correction, after a conclusion, and
 * where the same value is repeated, the last box counts. A denied box never counts.
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
