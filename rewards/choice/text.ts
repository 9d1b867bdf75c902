/** Prepares texts for the comparison with options. */

/** An option of a question. */
export interface Option {
  label: string;
  /** left out where only the letters are known */
  text?: string;
}

/** Of a longer final answer, only the end is searched. */
const LONGEST = 4_000;

const MARKUP = /\\(?:text|textbf|mathbf|mathrm|bm|bf|rm)\b/g;

/** A text in the form for comparison: Unicode NFKC, lower case, without markup, outer punctuation and white space. */
export function plainText(text: string): string {
  return text
    .slice(0, LONGEST)
    .normalize('NFKC')
    .slice(0, LONGEST)
    .replace(MARKUP, '')
    .replace(/[\s${}*_`"“”\\~]+/g, ' ')
    .trim()
    .replace(/(?<![.,;:!])[.,;:!]+$/, '')
    .trim()
    .toLowerCase();
}

/** Marks where a box begins and ends in a prepared text. */
const [BOX, BOX_END] = ['⟦', '⟧'];

/** The end of a text in the form for searching: without markup, boxes marked, bold letters in brackets. */
export function preparedText(text: string): string {
  return (
    boxesMarked(text.slice(-LONGEST).replace(/[⟦⟧]/g, ''))
      .normalize('NFKC')
      // NFKC replaces some characters by several.
      .slice(-LONGEST)
      .replace(MARKUP, '')
      .replace(/(?:\*\*|__)\s*\(?(\p{Lu})\)?[.):]?\s*(?:\*\*|__)/gu, '($1)')
      .replace(/['‘’](\p{L})['‘’]/gu, '$1')
      .replace(/^[ \t]*(?:#{1,6}|[-*•>])[ \t]+/gm, '')
      .replace(/[$`"“”„«»「」『』【】《》*_~{}\\]|[^\S\n]/g, ' ')
      .replace(/ {2,}/g, ' ')
      .replace(/ ?\n[ \n]*/g, '\n')
      .trim()
  );
}

function boxesMarked(text: string): string {
  const boxes = [...text.matchAll(/\\f?boxed\s*\{/g)].flatMap((match) => {
    const start = match.index + match[0].length;
    const end = closingBrace(text, start);
    return end < 0 ? [] : [{ from: match.index, start, end }];
  });
  let marked = '';
  let done = 0;
  for (const { from, start, end } of boxes) {
    if (from < done) continue;
    marked += text.slice(done, from) + BOX + text.slice(start, end) + BOX_END;
    done = end + 1;
  }
  return marked + text.slice(done);
}

function closingBrace(text: string, start: number): number {
  let depth = 1;
  for (let position = start; position < text.length; position++) {
    if (text[position] === '{') depth++;
    if (text[position] === '}') depth--;
    if (depth === 0) return position;
  }
  return -1;
}

export const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
