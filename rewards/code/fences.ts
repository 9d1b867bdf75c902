/**
 * Fenced code blocks by CommonMark §4.5, and as models write them besides: behind a tag or words on the same
 * line, closed on the code's own line, indented to any depth. Reads each character a bounded number of times.
 */
import { languageNamed } from './language.ts';

/** A block that is closed. */
export interface FencedBlock {
  /** what stands behind the opening fence, trimmed */
  info: string;
  code: string;
}

/** A block that is open. */
export interface Fence {
  sign: '`' | '~';
  length: number;
  info: string;
  /** columns of blanks before it, which its lines lose */
  indent: number;
  /** signs of quotation before it, which its lines lose */
  quotes: number;
  lines: string[];
  /** place of its line in the text */
  from: number;
}

interface Fenced {
  blocks: FencedBlock[];
  /** what stands between two fences on one line */
  spans: string[];
  /** the last block, where it never closes */
  unclosed: Fence | null;
}

/** All blocks in their order. */
export function fencedBlocks(text: string): Fenced {
  const found: Fenced = { blocks: [], spans: [], unclosed: null };
  let from = 0;
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    found.unclosed =
      found.unclosed === null ? openedBy(line, from, found.spans) : after(found.unclosed, line, from, found);
    from += raw.length + 1;
  }
  return found;
}

interface Run {
  at: number;
  length: number;
}

/** Runs of a sign, of that length at least. */
function runsOf(line: string, sign: string, least: number): Run[] {
  const runs: Run[] = [];
  for (let at = line.indexOf(sign); at >= 0; ) {
    let end = at + 1;
    while (line[end] === sign) end++;
    if (end - at >= least) runs.push({ at, length: end - at });
    at = line.indexOf(sign, end);
  }
  return runs;
}

const LEAST = 3;

/** The block that a line opens; null of any other. A span within the line is noted. */
function openedBy(line: string, from: number, spans: string[]): Fence | null {
  const ticks = runsOf(line, '`', LEAST);
  const [first, second] = ticks;
  if (first !== undefined && second !== undefined) spans.push(line.slice(first.at + first.length, second.at));
  return fenceIn(line, '`', ticks, from) ?? fenceIn(line, '~', runsOf(line, '~', LEAST), from);
}

function fenceIn(line: string, sign: Fence['sign'], runs: readonly Run[], from: number): Fence | null {
  const [run] = runs;
  if (run === undefined) return null;
  const info = line.slice(run.at + run.length).trim();
  if (sign === '`' && info.includes('`')) return null;
  const place = placeOf(line.slice(0, run.at));
  if (place === null && (sign === '~' || !isIntroduced(line.slice(0, run.at), info))) return null;
  return { sign, length: run.length, info, ...(place ?? { indent: 0, quotes: 0 }), lines: [], from };
}

const LONGEST_PLACE = 200;
/** Blanks, quotation, markers of list items; then tags and signs of emphasis, which are no indentation. */
const PLACE = /^([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?:<\/?[a-z]{1,20}>[ \t]*|\*\*|__)*$/i;

/** How far in a fence stands behind this; null where words stand before it. */
function placeOf(before: string): Pick<Fence, 'indent' | 'quotes'> | null {
  const [whole, container = ''] = before.length > LONGEST_PLACE ? [] : (PLACE.exec(before) ?? []);
  if (whole === undefined) return null;
  const quotes = container.split('>').length - 1;
  return { indent: columnsOf(withoutQuotes(container, quotes)), quotes };
}

/** Words before a fence may as well speak of one: a single word behind it, or a colon before, makes it one. */
const isIntroduced = (before: string, info: string) =>
  isWord(info) || (info === '' && /[:：]$/.test(before.trimEnd().slice(-1)));

const isWord = (info: string) => /^[A-Za-z][\w+#.-]{0,30}$/.test(info);

const TAB = 4;

function columnsOf(text: string): number {
  let columns = 0;
  for (const sign of text) columns += sign === '\t' ? TAB - (columns % TAB) : 1;
  return columns;
}

function withoutQuotes(line: string, quotes: number): string {
  let rest = line;
  for (let n = 0; n < quotes; n++) {
    const [sign] = /^[ \t]{0,3}> ?/.exec(rest) ?? [];
    if (sign === undefined) break;
    rest = rest.slice(sign.length);
  }
  return rest;
}

/** What is open after a line of an open block. */
function after(open: Fence, line: string, from: number, { blocks }: Fenced): Fence | null {
  const own = withoutQuotes(line, open.quotes);
  const close = (last?: string) => {
    if (last !== undefined) open.lines.push(last);
    blocks.push({ info: open.info, code: codeOf(open) });
  };
  const ending = endingOf(open, own, from);
  if (ending === null) open.lines.push(own);
  else close(ending.last);
  return ending === null ? open : ending.next;
}

/** How a line ends a block: with the last of its code, and with the block that it opens in its place. */
interface Ending {
  last?: string;
  next: Fence | null;
}

const ANSWER_END = '</answer>';
/** Blanks beyond the fence's own with which a fence still closes the block: behind more it is of the code. */
const DEEPER = 3;

function endingOf(open: Fence, line: string, from: number): Ending | null {
  const runs = runsOf(line, open.sign, open.length);
  const [run] = runs;
  if (run === undefined) return endOfAnswer(open, line);
  // A pair of fences within a line is of the code.
  if (runs.length > 1) return null;
  const before = line.slice(0, run.at);
  const behind = line.slice(run.at + run.length);
  const blank = before.trim() === '';
  if (blank && columnsOf(before) > open.indent + DEEPER) return null;
  if (blank) return { next: opensAnother(behind) ? fenceIn(line, open.sign, runs, from) : null };
  if (before.includes('<') && placeOf(before) !== null) return { next: fenceIn(line, open.sign, runs, from) };
  return closesCode(before, behind) ? { last: before.trimEnd(), next: null } : null;
}

const isFilled = (line: string) => line.trim() !== '';

/** The end of the answer closes a block that has any code. */
function endOfAnswer({ lines }: Fence, line: string): Ending | null {
  const whole = line.trimEnd();
  if (!whole.endsWith(ANSWER_END)) return null;
  const last = whole.slice(0, -ANSWER_END.length);
  if (isFilled(last)) return { last, next: null };
  return lines.some(isFilled) ? { next: null } : null;
}

/** Whether what stands behind a fence names a language, and is no sentence. */
function opensAnother(behind: string): boolean {
  const [first = ''] = behind.slice(0, LONGEST_PLACE).split(/[\s,:]/);
  return isWord(behind.trim()) || first.startsWith('{') || languageNamed(first) !== undefined;
}

/** What may stand behind a fence that closes the block on the code's own line: punctuation and tags. */
const TAIL = /^(?:[\s.,;:!*_]|<\/?[a-z]{1,20}>)*$/i;

/** A text that begins with a fence, in quotes over several lines, is of the code. */
function closesCode(code: string, behind: string): boolean {
  const tail = behind.trim();
  return (
    tail.length <= LONGEST_PLACE && TAIL.test(tail) && !/(?:"""|'''|`)\s*$/.test(code.slice(-LONGEST_PLACE))
  );
}

/**
 * The block's lines without the fence's indentation, as far as the first of them has it too, and without what
 * they are all indented by.
 */
function codeOf({ lines, indent }: Fence): string {
  const first = lines.find(isFilled) ?? '';
  const most = Math.min(indent, columnsOf(first.slice(0, first.length - first.trimStart().length)));
  const own = lines.map((line) => withoutColumns(line, most));
  const common = commonBlanks(own);
  return `${own.map((line) => line.slice(line.trim() === '' ? 0 : common)).join('\n')}\n`;
}

function withoutColumns(line: string, most: number): string {
  let columns = 0;
  let at = 0;
  for (; columns < most && (line[at] === ' ' || line[at] === '\t'); at++) {
    columns += line[at] === '\t' ? TAB - (columns % TAB) : 1;
  }
  return line.slice(at);
}

/** How many blanks all lines but blank ones begin with, the same ones. */
function commonBlanks(lines: readonly string[]): number {
  let common: string | undefined;
  for (const line of lines) {
    if (common === '' || line.trim() === '') continue;
    common ??= line.slice(0, line.length - line.trimStart().length);
    let same = 0;
    while (same < common.length && line[same] === common[same]) same++;
    common = common.slice(0, same);
  }
  return common?.length ?? 0;
}
