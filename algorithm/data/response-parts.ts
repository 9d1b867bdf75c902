/** A response cut into its thinking, its final part and its answer. */

export interface ResponseParts {
  /** the chain of thought, trimmed */
  thinking: string;
  /** the text after the thinking, without the answer's tags, trimmed */
  final: string;
  /** the text inside the one `<answer>…</answer>`, trimmed; null where there is none */
  answer: string | null;
}

const TAGS = ['<think>', '</think>', '<answer>', '</answer>'] as const;

/** How often each tag occurs in a text. */
const countsIn = (text: string) => TAGS.map((tag) => text.split(tag).length - 1);

/**
 * Whether the whole text is `<think>…</think><answer>…</answer>`, each tag once, with only white space between
 * the two blocks and nothing before or after them.
 */
export function isWellFormed(text: string): boolean {
  if (!text.startsWith('<think>') || !text.endsWith('</answer>')) return false;
  const [, close = '', open = ''] = TAGS;
  const [end, start] = [text.indexOf(close) + close.length, text.indexOf(open)];
  return countsIn(text).every((count) => count === 1) && end <= start && text.slice(end, start).trim() === '';
}

/**
 * The parts of a response that thinks, then answers. `<think>` may be missing (the template put it into the prompt),
 * and so may `</think>` before `<answer>` (a base model often forgets it). null where a tag occurs twice or in
 * another order, or where there is no text after the thinking.
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
