/**
 * Fenced code blocks by CommonMark §4.5, and in the other forms that models write: after a tag or words on the same
 * line, closed at the end of a line of code, indented to any depth. Linear in the text.
 */
import { languageNamed } from './language.ts';

/** A closed block. */
export interface FencedBlock {
  /** the text after the opening fence, trimmed */
  info: string;
  code: string;
}

/** An open block. */
export interface Fence {
  character: '`' | '~';
  length: number;
  info: string;
  /** columns of blanks before it, which are removed from its lines */
  indent: number;
  /** number of `>` before it, which are removed from its lines */
  quotes: number;
  lines: string[];
  /** index of its line in the text */
  from: number;
}

interface Fenced {
  blocks: FencedBlock[];
  /** texts between two fences on one line */
  spans: string[];
  /** the last block, where it has no end */
  unclosed: Fence | null;
}

/** All blocks in order. */
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

/** Runs of a character with at least the given length. */
function runsOf(line: string, character: string, least: number): Run[] {
  const runs: Run[] = [];
  for (let at = line.indexOf(character); at >= 0; ) {
    let end = at + 1;
    while (line[end] === character) end++;
    if (end - at >= least) runs.push({ at, length: end - at });
    at = line.indexOf(character, end);
  }
  return runs;
}

const LEAST = 3;

/** The block that a line opens; null for other lines. Adds a span within the line to `spans`. */
function openedBy(line: string, from: number, spans: string[]): Fence | null {
  const ticks = runsOf(line, '`', LEAST);
  const [first, second] = ticks;
  if (first !== undefined && second !== undefined) spans.push(line.slice(first.at + first.length, second.at));
  return fenceIn(line, '`', ticks, from) ?? fenceIn(line, '~', runsOf(line, '~', LEAST), from);
}

function fenceIn(
  line: string,
  character: Fence['character'],
  runs: readonly Run[],
  from: number,
): Fence | null {
  const [run] = runs;
  if (run === undefined) return null;
  const info = line.slice(run.at + run.length).trim();
  if (character === '`' && info.includes('`')) return null;
  const indentation = indentationOf(line.slice(0, run.at));
  if (indentation === null && (character === '~' || !isIntroduced(line.slice(0, run.at), info))) return null;
  return {
    character,
    length: run.length,
    info,
    ...(indentation ?? { indent: 0, quotes: 0 }),
    lines: [],
    from,
  };
}

/** More text than this before or after a fence is prose. */
const LONGEST_AROUND = 200;
/** Blanks, quote markers and list markers; then tags and emphasis, which do not count as indentation. */
const BEFORE_FENCE = /^([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?:<\/?[a-z]{1,20}>[ \t]*|\*\*|__)*$/i;

/** The indentation of a fence after this text; null where the text has words. */
function indentationOf(before: string): Pick<Fence, 'indent' | 'quotes'> | null {
  const [whole, container = ''] = before.length > LONGEST_AROUND ? [] : (BEFORE_FENCE.exec(before) ?? []);
  if (whole === undefined) return null;
  const quotes = container.split('>').length - 1;
  return { indent: columnsOf(withoutQuotes(container, quotes)), quotes };
}

/**
 * A fence after words counts only with a single word after it, or a colon before it: the words may only mention it.
 */
const isIntroduced = (before: string, info: string) =>
  isWord(info) || (info === '' && /[:：]$/.test(before.trimEnd().slice(-1)));

const isWord = (info: string) => /^[A-Za-z][\w+#.-]{0,30}$/.test(info);

const TAB = 4;

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += character === '\t' ? TAB - (columns % TAB) : 1;
  return columns;
}

function withoutQuotes(line: string, quotes: number): string {
  let rest = line;
  for (let n = 0; n < quotes; n++) {
    const [marker] = /^[ \t]{0,3}> ?/.exec(rest) ?? [];
    if (marker === undefined) break;
    rest = rest.slice(marker.length);
  }
  return rest;
}

/** The block that is open after a line of an open block. */
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

/** How a line ends a block. */
interface Ending {
  /** the last line of code, where the fence follows it on the same line */
  last?: string;
  /** the block that the same line opens */
  next: Fence | null;
}

const ANSWER_END = '</answer>';
/** A closing fence may be indented this much deeper than the opening one; a deeper one is part of the code. */
const DEEPER = 3;

function endingOf(open: Fence, line: string, from: number): Ending | null {
  const runs = runsOf(line, open.character, open.length);
  const [run] = runs;
  if (run === undefined) return endOfAnswer(open, line);
  // A pair of fences within a line is part of the code.
  if (runs.length > 1) return null;
  const before = line.slice(0, run.at);
  const rest = line.slice(run.at + run.length);
  const blank = before.trim() === '';
  if (blank && columnsOf(before) > open.indent + DEEPER) return null;
  if (blank) return { next: opensAnother(rest) ? fenceIn(line, open.character, runs, from) : null };
  if (before.includes('<') && indentationOf(before) !== null)
    return { next: fenceIn(line, open.character, runs, from) };
  return closesCode(before, rest) ? { last: before.trimEnd(), next: null } : null;
}

const isFilled = (line: string) => line.trim() !== '';

/** `</answer>` ends a block that contains code. */
function endOfAnswer({ lines }: Fence, line: string): Ending | null {
  const whole = line.trimEnd();
  if (!whole.endsWith(ANSWER_END)) return null;
  const last = whole.slice(0, -ANSWER_END.length);
  if (isFilled(last)) return { last, next: null };
  return lines.some(isFilled) ? { next: null } : null;
}

/** Whether the text after a fence is an info string, not a sentence. */
function opensAnother(rest: string): boolean {
  const [first = ''] = rest.slice(0, LONGEST_AROUND).split(/[\s,:]/);
  return isWord(rest.trim()) || first.startsWith('{') || languageNamed(first) !== undefined;
}

/** What may follow a fence that closes the block at the end of a line of code: punctuation and tags. */
const TAIL = /^(?:[\s.,;:!*_]|<\/?[a-z]{1,20}>)*$/i;

/** Whether a fence after code on the same line closes the block; after an opening quote it is part of the code. */
function closesCode(code: string, rest: string): boolean {
  const tail = rest.trim();
  return (
    tail.length <= LONGEST_AROUND && TAIL.test(tail) && !/(?:"""|'''|`)\s*$/.test(code.slice(-LONGEST_AROUND))
  );
}

/**
 * The block's code: its lines without the fence's indentation, as far as the first line has it too, and without the
 * indentation that all lines share.
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

/** Length of the white space that all lines share at their start, ignoring blank lines. */
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
