/** Finds the program in what a model says. */
import { type Fence, type FencedBlock, fencedBlocks } from './fences.ts';
import { type Language, languageNamed, languageOfFile } from './language.ts';

const THINK_END = '</think>';
const ANSWER = '<answer>';

/**
 * The program in a response: the last fenced block in the language, else the last that names none. Only what
 * follows the thinking counts. A block that never closes was cut off and is no program; the end of the answer
 * closes one too. Where there is no block at all, a span within one line, or the text before a closing fence
 * that none opens, stands in. Null where there is none.
 */
export function extractCode(response: string, language: Language): string | null {
  const end = response.lastIndexOf(THINK_END);
  const text = end < 0 ? response : response.slice(end + THINK_END.length);
  const { blocks, spans, unclosed } = fencedBlocks(text);
  const named = blocks.flatMap((block) => nestedIn(block, language)).map(labelled);
  if (named.length > 0) return lastIn(named, language);
  if (spans.length > 0) return lastIn(spans.map(spanOf), language);
  return unclosed === null ? null : beforeStrayFence(text, unclosed);
}

/** Code and its language: null where none is named, `other` where it is none that can be run. */
interface Labelled {
  language: Language | 'other' | null;
  code: string;
}

function lastIn(blocks: readonly Labelled[], language: Language): string | null {
  const own = blocks.findLast((block) => block.language === language);
  return (own ?? blocks.findLast((block) => block.language === null))?.code ?? null;
}

const labelled = ({ info, code }: FencedBlock): Labelled => ({ language: languageOfInfo(info), code });

/** Info strings that say nothing of a language. */
const GENERIC = new Set(['code', 'program', 'solution', 'source']);
const LONGEST_INFO = 200;

/**
 * The language of an info string: `python`, `python3.11`, `{.python .numberLines}`, `python:main.py`,
 * `javascript title="a.js"`, `language-python`, `main.cpp`.
 */
function languageOfInfo(info: string): Labelled['language'] {
  const bare = info.slice(0, LONGEST_INFO).replace(/^lang(?:uage)?[-=:]/i, '');
  const words = bare.split(/[\s{}()[\],:;=|@"']+/);
  const [first = '', ...more] = words.filter((word) => word !== '' && !word.startsWith('#'));
  if (first === '' || GENERIC.has(first.toLowerCase())) return null;
  // Of Pandoc's classes any may be the language.
  const names = first.startsWith('.') ? [first, ...more].map((word) => word.replace(/^\./, '')) : [first];
  const found = names.map((name) => languageNamed(name) ?? languageOfFile(name));
  return found.find((each) => each !== undefined) ?? 'other';
}

/** The blocks of an answer in Markdown that is itself fenced; the block alone where it is a program. */
function nestedIn(block: FencedBlock, language: Language): FencedBlock[] {
  if (!/^(?:markdown|md)?$/i.test(block.info)) return [block];
  const { blocks } = fencedBlocks(block.code);
  return blocks.some(({ info }) => languageOfInfo(info) === language) ? blocks : [block];
}

/** A span within a line begins with its language, or with the program. */
function spanOf(span: string): Labelled {
  const text = span.trim();
  const blank = text.search(/\s/);
  const language = languageNamed(text.slice(0, Math.max(0, blank)));
  return language === undefined ? { language: null, code: text } : { language, code: text.slice(blank + 1) };
}

/** Where the only fence has nothing behind it, it closes a block whose opening stood in the prompt. */
function beforeStrayFence(text: string, { info, lines, from }: Fence): string | null {
  const more = lines.some((line) => line.replace('</answer>', '').trim() !== '');
  if (info !== '' || more) return null;
  const before = text.slice(0, from);
  const start = before.lastIndexOf(ANSWER);
  const code = start < 0 ? before : before.slice(start + ANSWER.length);
  return code.trim() === '' ? null : code;
}
