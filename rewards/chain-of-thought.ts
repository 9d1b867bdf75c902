const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * The start of the answer that the prompt already contains: `<think>` with the white space after it, where a chat
 * template ends the prompt by opening the chain of thought; otherwise empty. The completion continues it.
 */
export function prefillOf(prompt: string): string {
  const { length } = prompt.trimEnd();
  return prompt.endsWith(OPEN, length) ? prompt.slice(length - OPEN.length) : '';
}

/**
 * The chain of thought: the text before the first `</think>`, without the `<think>` that opens it (a chat template
 * may have put that one into the prompt). A chain that was cut off extends to the end of the text.
 */
export function chainOfThought(completionText: string): string {
  const close = completionText.indexOf(CLOSE);
  const chain = close < 0 ? completionText : completionText.slice(0, close);
  const open = chain.indexOf(OPEN);
  return open < 0 ? chain : chain.slice(open + OPEN.length);
}

/**
 * The final answer: the text of the single `<answer>…</answer>` after the chain of thought, or all text after it
 * where there is no such tag. Null for several answers, an empty one, and a chain of thought that never ends.
 */
export function finalText(completionText: string): string | null {
  const close = completionText.indexOf(CLOSE);
  if (close < 0 && completionText.includes(OPEN)) return null;
  const rest = close < 0 ? completionText : completionText.slice(close + CLOSE.length);
  const parts = rest.split('<answer>');
  if (parts.length > 2) return null;
  const [inside = '', after] = (parts[1] ?? rest).split('</answer>');
  if ((parts.length === 2) !== (after !== undefined)) return null;
  return inside.trim() || null;
}

/**
 * The text after the chain of thought; the whole text where there is no chain. Null where a chain never ends (one
 * that the text opens, or that was `begun` before it), and where nothing follows it. Later `<think>…</think>` blocks
 * are removed; where a later `</think>` has no opening, the last part with any text counts.
 */
export function afterThinking(completionText: string, { begun }: { begun: boolean }): string | null {
  const close = completionText.indexOf(CLOSE);
  if (close < 0) return begun || completionText.includes(OPEN) ? null : completionText;
  const visible = withoutChains(completionText.slice(close + CLOSE.length));
  return visible?.split(CLOSE).findLast((part) => part.trim() !== '') ?? null;
}

/** The text without its `<think>…</think>` blocks; null where one never ends. */
function withoutChains(text: string): string | null {
  const [before = '', ...opened] = text.split(OPEN);
  const kept = [before];
  for (const chain of opened) {
    const close = chain.indexOf(CLOSE);
    if (close >= 0) kept.push(chain.slice(close + CLOSE.length));
  }
  const ends = opened.length === 0 || (opened.at(-1) ?? '').includes(CLOSE);
  return ends ? kept.join(' ') : null;
}
