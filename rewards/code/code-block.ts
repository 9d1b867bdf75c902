import { type Language, languageNamed } from './language.ts';

interface Block {
  /** first word after the fence; empty where there is none */
  info: string;
  code: string;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$/;
const THINK_END = '</think>';

/**
 * The program in a response: the last fenced block in the language, else the last that names none. Only what
 * follows the thinking counts; a block that never closes was cut off and is no program. Null where there is
 * none.
 */
export function extractCode(response: string, language: Language): string | null {
  const end = response.lastIndexOf(THINK_END);
  const blocks = fencedBlocks(end < 0 ? response : response.slice(end + THINK_END.length));
  const own = blocks.findLast(({ info }) => languageNamed(info) === language);
  return (own ?? blocks.findLast(({ info }) => info === ''))?.code ?? null;
}

/** Fenced code blocks by CommonMark §4.5: closed by a fence of the same sign, at least as long. */
function fencedBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; info: string; lines: string[] } | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (open === null) {
      const [, fence, info = ''] = FENCE.exec(line) ?? [];
      if (fence !== undefined) open = { fence, info: info.replace(/[{},]/g, ''), lines: [] };
    } else if (closes(line, open.fence)) {
      blocks.push({ info: open.info, code: `${open.lines.join('\n')}\n` });
      open = null;
    } else open.lines.push(line);
  }
  return blocks;
}

function closes(line: string, fence: string): boolean {
  const word = line.replace(/^ {0,3}/, '').trimEnd();
  return word.length >= fence.length && word === (fence[0] ?? '').repeat(word.length);
}
