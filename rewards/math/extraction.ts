import { afterThinking } from '../chain-of-thought.ts';
import { limits } from './limits.ts';
import { normalise } from './normalise.ts';

/** Where an answer stood, and the ways to read that place, best first. */
export interface Extracted {
  readings: string[];
}

interface Box {
  content: string;
  start: number;
  end: number;
}

const BOX = /(?<!\\)\\+f?box(?:ed)?\s*(?=[{\d])/g;
/** Boxes this near to each other are one answer in parts. */
const TOUCHING_CHARACTERS = 10;
const JOINED_CHARACTERS = 70;
const JOINS = /\b(?:and|or)\b|,|;/;

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
function boxes(text: string, unclosed: boolean): Box[] {
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

/** The last box, and those before it that belong to the same answer. */
function lastBoxes(text: string, all: Box[]): Box | null {
  let last = all.at(-1);
  if (!last) return null;
  const contents = [last.content];
  for (const box of [...all].reverse().slice(1)) {
    const between = text.slice(box.end, last.start);
    const joins = between.length < JOINED_CHARACTERS && box.content !== contents[0] && JOINS.test(between);
    if (between.length >= TOUCHING_CHARACTERS && !joins) break;
    if (box.content !== contents[0]) contents.unshift(box.content);
    last = box;
  }
  const end = all.at(-1)?.end ?? 0;
  const percent = /^\s*\$?\s*(?:\\?%|percent|pct)/.test(text.slice(end, end + 20));
  return { content: contents.join(' ; ') + (percent ? '%' : ''), start: all.at(-1)?.start ?? 0, end };
}

/** Delimiters of mathematics in text; an inline one does not cross a line. */
const ENVIRONMENTS =
  /(?<!\\)\$\$(?<dollars>(?:[^$]|\\\$){1,2000}?)\$\$|\\\[(?<brackets>[\s\S]{1,2000}?)\\\]|(?<![\\\d])\$(?<dollar>(?:\\.|[^\n$\\]){1,1000})\$|\\\((?<parentheses>[^\n]{1,1000}?)\\\)|(?<fraction>-?\\[dt]?frac\{-?[\d.]{1,50}\}\{[\d.]{1,50}\})/g;
const PERCENT = /^\s*(?:\\?%|percent(?:age)?|pct)/i;
const BETWEEN_ENVIRONMENTS = /^\s*(?:,?\s*(?:and|or)|,)\s*$/;

interface Found {
  content: string;
  start: number;
  end: number;
}

function environments(text: string): Found[] {
  return [...text.matchAll(ENVIRONMENTS)].map((match) => {
    const content = Object.values(match.groups ?? {}).find((group) => group !== undefined) ?? '';
    const end = match.index + match[0].length;
    const percent = PERCENT.exec(text.slice(end, end + 20))?.[0] ?? '';
    return { content: percent ? `${content}%` : content, start: match.index, end: end + percent.length };
  });
}

/** `$1$, $2$ and $3$` is one answer: the run of environments that holds the one at `index`. */
function joined(text: string, all: Found[], index: number): Found | null {
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

/** A plain number or fraction that no letter touches from the left: 2 in AZYUK2A is none. */
const NUMBER =
  /(?<![\w.\\^])(?:-\s?)?\$?(?:[1-9]\d{0,2}(?:[ ,]\d{3})+(?!\d)(?:\.\d+)?|\d+[.,]\d+|\.\d+|\d+)(?:\s\d+\/\d+|\s?\/\s?\d+(?:\.\d+)?)?(?:\s*(?:%|percent|pct))?/gi;

function numbers(text: string): Found[] {
  return [...text.matchAll(NUMBER)].map((match) => ({
    content: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** The rest of the sentence that starts at `from`; a full stop inside mathematics does not end it. */
function sentence(text: string, from: number): string {
  const window = text.slice(from, from + 1_500);
  const inside = environments(window);
  for (const match of window.matchAll(/[.。](?=\s|$|\*)|\n|<\|/g)) {
    const before = window.slice(0, match.index);
    const blank = before.replace(/[\s*:_#]/g, '') === '';
    const within = inside.some(({ start, end }) => start < match.index && match.index < end);
    if (!blank && !within) return before;
  }
  return window;
}

const lastNumber = (text: string) => numbers(text).at(-1)?.content;

/** What follows an answer in its sentence and is no part of it. */
const ASIDE = /,?\s+(?:not|rather|instead|because|since|which|so|when|but|if)\b[\s\S]*$/;

/** What a sentence such as "… answer is x = 5 cm" says: after its "is", its mathematics, its last number. */
function sentenceReadings(text: string): string[] {
  const cleaned = text.replace(/^[\s:*"'=]+/, '').replace(/["'*\s]+$/, '');
  const after = /^(?:[^$\\]|\\.|\$[^$]*\$)*\b(?:is|are|be|equals)\b:?\s+(?!not\b)/i.exec(
    cleaned.slice(0, 400),
  );
  const said = (after ? cleaned.slice(after[0].length) : cleaned).replace(ASIDE, '');
  const inside = environments(said);
  const environment = joined(said, inside, 0)?.content;
  const wholly =
    environment !== undefined && said.replace(ENVIRONMENTS, '').replace(/[\s.,"*]|and|or|[Tt]he/g, '') === '';
  const number = lastNumber(said);
  const readings = wholly
    ? [environment]
    : [said, environment, environment === undefined ? number : undefined];
  return [...readings, after ? undefined : lastNumber(cleaned)].filter(
    (each) => each !== undefined && each !== '',
  ) as string[];
}

/** Markers of an answer, the surest first; the last occurrence counts. */
const MARKERS = [/final answer/gi, /(?:answer|result)\s*(?:is|:|=)/gi, /answer/gi, /回答|答案[是为：:]?/g];

function marked(text: string, marker: RegExp): Extracted | null {
  const match = [...text.matchAll(marker)].at(-1);
  if (!match) return null;
  const readings = sentenceReadings(sentence(text, match.index + match[0].length));
  return readings.length > 0 && readings.some((reading) => /[\w\\]/.test(reading)) ? { readings } : null;
}

/** The rightmost mathematics or number of a text without any marker. */
function rightmost(text: string): Extracted | null {
  const tail = text.slice(-8_000);
  const inside = environments(tail);
  const environment = joined(tail, inside, inside.length - 1);
  const number = numbers(tail)
    .filter(({ start, end }) => !inside.some((each) => each.start < end && start < each.end))
    .at(-1);
  if (environment && (!number || environment.end > number.start)) return { readings: [environment.content] };
  return number ? { readings: [number.content] } : null;
}

/** Words of prose: what is left where commands, texts and functions are taken away. */
export function isProse(text: string): boolean {
  const rest = text
    .replace(/\\(?:text\w*|mathrm|mathbf|mbox|operatorname)\s*\{[^{}]*\}/g, ' ')
    .replace(/\\(?:begin|end)\s*\{[^{}]*\}/g, ' ')
    .replace(/\\[a-zA-Z]+/g, ' ')
    .replace(
      /(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?|sqrt|infinity|percentage|percent|\b(?:and|or)\b/gi,
      ' ; ',
    );
  return /\p{L}\p{Ll}{3}|\p{Lo}{2}|\b\p{Ll}{2,}['’]?\p{Ll}*\s+\p{Ll}{2}/u.test(rest);
}

function answerBlock(text: string): string | null {
  const open = text.lastIndexOf('<answer>');
  if (open < 0) return null;
  const end = text.indexOf('</answer>', open);
  return text.slice(open + '<answer>'.length, end < 0 ? undefined : end).trim() || null;
}

/** GSM8K's mark. */
function hashes(text: string): Extracted | null {
  const [, content] = /####\s*([^\n]+)\s*$/.exec(text.slice(-500)) ?? [];
  return content ? { readings: [content] } : null;
}

/** Words that lead to an answer and are no part of it: in mathematics they would be products of letters. */
const LEAD_IN =
  /^(?:(?:so|thus|hence|then|therefore|and|ok|okay|well|now|yes|is|(?:it|that|this|which) (?:is|equals|gives)|it['’]s|that['’]s|(?:i|we) (?:get|have|find)|(?:i|we) think)(?:\s*[,:]\s*|\s+))+(?=\S)/i;

function fromText(text: string, unclosed: boolean): Extracted | null {
  const box = lastBoxes(text, boxes(text, unclosed));
  // "The final answer is …" after the last box corrects it.
  const final = [...text.matchAll(/final answer is:?(?=\s)/gi)].at(-1);
  if (box && (!final || final.index < box.end)) return { readings: [box.content] };
  if (box && final) return marked(text, /final answer is:?(?=\s)/gi) ?? { readings: [box.content] };
  const short = text.trim().replace(LEAD_IN, '');
  if (short !== '' && short.length <= 400 && !isProse(normalise(short)) && !/\n\s*\n/.test(short)) {
    return { readings: [short, ...(rightmost(short)?.readings ?? [])] };
  }
  const found = hashes(text);
  if (found) return found;
  for (const marker of MARKERS) {
    const answer = marked(text, marker);
    if (answer) return answer;
  }
  const last = rightmost(text);
  const words = short !== '' && short.length <= 200 ? [short] : [];
  return last ? { readings: [...words, ...last.readings] } : words.length > 0 ? { readings: words } : null;
}

/**
 * Finds a response's answer: in what follows `</think>`, in the last `<answer>`, the last \boxed (several,
 * side by side, are one answer), the text itself where it is short, "#### x", "the answer is x", or the
 * last mathematics. Null where nothing is like an answer.
 */
export function extractAnswer(response: string): Extracted | null {
  const text = afterThinking(response, { begun: false })?.slice(-limits.searchedCharacters);
  if (text === undefined) return null;
  const block = answerBlock(text);
  if (block === null) return fromText(text, false);
  const found = fromText(block, false);
  return found && block.length <= 400 ? { readings: [...new Set([...found.readings, block])] } : found;
}

/** The same for a ground truth, which may be the answer alone or a solution that ends in it. */
export function extractTruth(truth: string): Extracted | null {
  const text = truth.trim();
  if (text === '') return null;
  if (/\\f?box|####/.test(text)) return fromText(text, true);
  const prose = isProse(normalise(text));
  if (!prose || (text.length <= 400 && !/\d|\$|\\[([]/.test(text))) return { readings: [text] };
  return fromText(text, true) ?? { readings: [text] };
}
