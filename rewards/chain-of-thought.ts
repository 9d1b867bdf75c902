const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * What of the answer a prompt's end has written already: `<think>` with the white space after it, where a chat
 * template opens the chain of thought by itself; else nothing. A completion goes on from it.
 */
export function prefillOf(prompt: string): string {
  const { length } = prompt.trimEnd();
  return prompt.endsWith(OPEN, length) ? prompt.slice(length - OPEN.length) : '';
}

/**
 * The chain of thought: what stands before the first `</think>`, after the `<think>` that opens it (a chat
 * template may have written that one into the prompt). A chain that was cut off goes to the text's end.
 */
export function chainOfThought(completionText: string): string {
  const close = completionText.indexOf(CLOSE);
  const chain = close < 0 ? completionText : completionText.slice(0, close);
  const open = chain.indexOf(OPEN);
  return open < 0 ? chain : chain.slice(open + OPEN.length);
}

/**
 * What the response says when it is done thinking: the text of its one `<answer>…</answer>` after the chain
 * of thought, or all of it where there is no such tag. Null of several answers, of an empty one, and of a
 * chain that never ends.
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
 * What is said outside the chain of thought; all of it where there is none. Null where nothing is: a chain never
 * ends (one that the text opens, or that was `begun` before it), or nothing follows it. Further chains are left
 * out; of texts that further ends of chains divide, the last that says something counts.
 */
export function afterThinking(completionText: string, { begun }: { begun: boolean }): string | null {
  const close = completionText.indexOf(CLOSE);
  if (close < 0) return begun || completionText.includes(OPEN) ? null : completionText;
  const said = withoutChains(completionText.slice(close + CLOSE.length));
  return said?.split(CLOSE).findLast((part) => part.trim() !== '') ?? null;
}

/** A text without its `<think>…</think>`; null where one never ends. */
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
