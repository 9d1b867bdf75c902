/** A response cut into its thinking, its answer and what else it says. */

export interface ResponseParts {
  /** the chain of thought, trimmed */
  thinking: string;
  /** what it says when it is done thinking, tags of the answer taken off, trimmed */
  final: string;
  /** the text inside the one `<answer>…</answer>`, trimmed; null where there is none */
  answer: string | null;
}

const TAGS = ['<think>', '</think>', '<answer>', '</answer>'] as const;

/** How often each tag stands in a text. */
const countsIn = (text: string) => TAGS.map((tag) => text.split(tag).length - 1);

/**
 * Whether the whole text is `<think>…</think><answer>…</answer>`, each tag once: white space may stand between the
 * two blocks, and nothing before, after or else between.
 */
export function isWellFormed(text: string): boolean {
  if (!text.startsWith('<think>') || !text.endsWith('</answer>')) return false;
  const [, close = '', open = ''] = TAGS;
  const [end, start] = [text.indexOf(close) + close.length, text.indexOf(open)];
  return countsIn(text).every((count) => count === 1) && end <= start && text.slice(end, start).trim() === '';
}

/**
 * The parts of a response that thinks, then answers. A template may have put `<think>` into the prompt, and a
 * base may forget to close it before `<answer>`: both are understood. null where a tag comes twice or in
 * another order, or where nothing is said after the thinking.
 */
export function partsOf(text: string): ResponseParts | null {
  const [opens, closes, answers, ends] = countsIn(text);
  if ([opens, closes, answers, ends].some((count = 0) => count > 1) || answers !== ends) return null;
  const cut = closes === 1 ? text.indexOf('</think>') : text.indexOf('<answer>');
  if (cut < 0) return null;
  const thought = text.slice(0, cut);
  const open = thought.indexOf('<think>');
  if (opens === 1 && (open < 0 || thought.slice(0, open).trim() !== '')) return null;
  const rest = text.slice(cut).replace(/^<\/think>/, '');
  const [start, end] = [rest.indexOf('<answer>'), rest.indexOf('</answer>')];
  if (answers === 1 && (start < 0 || end < start)) return null;
  const answer = answers === 1 ? rest.slice(start + '<answer>'.length, end) : null;
  const final = rest.replace(/<\/?answer>/g, '').trim();
  if (final === '') return null;
  const thinking = thought.slice(open < 0 ? 0 : open + '<think>'.length).trim();
  return { thinking, final, answer: answer?.trim() || null };
}
