const THINK_END = '</think>';

/**
 * The text inside the one `<answer>…</answer>` that follows the first `</think>`, trimmed; null where
 * there is no thinking's end, no such block, more than one (several guesses are no answer), or nothing
 * inside it. What follows the block does not matter here; it does to the format reward.
 */
export function extractAnswer(completionText: string): string | null {
  const end = completionText.indexOf(THINK_END);
  if (end < 0) return null;
  const blocks = [...completionText.slice(end + THINK_END.length).matchAll(/<answer>(.*?)<\/answer>/gs)];
  const [, inside = ''] = blocks.length === 1 ? (blocks[0] ?? []) : [];
  return inside.trim() || null;
}
