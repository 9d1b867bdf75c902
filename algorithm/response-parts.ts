/** A response cut into its thinking, its answer and what else it says. */

export interface ResponseParts {
  /** the chain of thought, trimmed */
  thinking: string;
  /** what it says when it is done thinking, tags of the answer taken off, trimmed */
  final: string;
  /** the text inside the one `<answer>…</answer>`, trimmed; null where there is none */
  answer: string | null;
}

const COUNTS = ['<think>', '</think>', '<answer>', '</answer>'] as const;

/**
 * The parts of a response that thinks, then answers. A template may have put `<think>` into the prompt, and a
 * base may forget to close it before `<answer>`: both are understood. null where a tag comes twice or in
 * another order, or where nothing is said after the thinking.
 */
export function partsOf(text: string): ResponseParts | null {
  const [opens, closes, answers, ends] = COUNTS.map((tag) => text.split(tag).length - 1);
  if ([opens, closes, answers, ends].some((count = 0) => count > 1) || answers !== ends) return null;
  const cut = closes === 1 ? text.indexOf('</think>') : text.indexOf('<answer>');
  if (cut < 0) return null;
  const thought = text.slice(0, cut);
  const open = thought.indexOf('<think>');
  if (opens === 1 && (open < 0 || thought.slice(0, open).trim() !== '')) return null;
  const rest = text.slice(cut).replace(/^<\/think>/, '');
  const [, answer = null] = /<answer>(.*)<\/answer>/s.exec(rest) ?? [];
  if (answers === 1 && answer === null) return null;
  const final = rest.replace(/<\/?answer>/g, '').trim();
  if (final === '') return null;
  const thinking = thought.slice(open < 0 ? 0 : open + '<think>'.length).trim();
  return { thinking, final, answer: answer?.trim() || null };
}
