/** Finds the program in a response. */
import { type Fence, type FencedBlock, fencedBlocks } from './fences.ts';
import { type Language, languageNamed, languageOfFile } from './language.ts';

const THINK_END = '</think>';
const ANSWER = '<answer>';

/**
 * The program in a response: the last fenced block in the language, else the last block that names no language. Only
 * text after the chain of thought counts. A block without an end was cut off and does not count; `</answer>` ends a
 * block too. Without any block, the program is a code span within one line, or the text before a closing fence that
 * has no opening. Null where there is no program.
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

/** Code and its language: null where none is named, `other` where it cannot be run. */
interface Labelled {
  language: Language | 'other' | null;
  code: string;
}

function lastIn(blocks: readonly Labelled[], language: Language): string | null {
  const own = blocks.findLast((block) => block.language === language);
  return (own ?? blocks.findLast((block) => block.language === null))?.code ?? null;
}

const labelled = ({ info, code }: FencedBlock): Labelled => ({ language: languageOfInfo(info), code });

/** Info strings that do not name a language. */
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
  // Any of Pandoc's classes may be the language.
  const names = first.startsWith('.') ? [first, ...more].map((word) => word.replace(/^\./, '')) : [first];
  const found = names.map((name) => languageNamed(name) ?? languageOfFile(name));
  return found.find((each) => each !== undefined) ?? 'other';
}

/** The blocks inside a fenced Markdown answer; the block itself where it is a program. */
function nestedIn(block: FencedBlock, language: Language): FencedBlock[] {
  if (!/^(?:markdown|md)?$/i.test(block.info)) return [block];
  const { blocks } = fencedBlocks(block.code);
  return blocks.some(({ info }) => languageOfInfo(info) === language) ? blocks : [block];
}

/** A code span within a line, which may start with its language. */
function spanOf(span: string): Labelled {
  const text = span.trim();
  const blank = text.search(/\s/);
  const language = languageNamed(text.slice(0, Math.max(0, blank)));
  return language === undefined ? { language: null, code: text } : { language, code: text.slice(blank + 1) };
}

/** The text before the only fence, where nothing follows it: the prompt contained the opening fence. */
function beforeStrayFence(text: string, { info, lines, from }: Fence): string | null {
  const more = lines.some((line) => line.replace('</answer>', '').trim() !== '');
  if (info !== '' || more) return null;
  const before = text.slice(0, from);
  const start = before.lastIndexOf(ANSWER);
  const code = start < 0 ? before : before.slice(start + ANSWER.length);
  return code.trim() === '' ? null : code;
}
