const THINK_END = '</think>';

/**
 * The trimmed text inside the single `<answer>…</answer>` after the first `</think>`. Null without `</think>`,
 * without such a block, with more than one (several guesses do not count), or with an empty one. Text after the
 * block is ignored here; the format reward checks it.
 */
export function extractAnswer(completionText: string): string | null {
  const end = completionText.indexOf(THINK_END);
  if (end < 0) return null;
  const blocks = answerBlocks(completionText.slice(end + THINK_END.length));
  const [inside = ''] = blocks.length === 1 ? blocks : [];
  return inside.trim() || null;
}

const OPEN = '<answer>';
const CLOSE = '</answer>';

/** The contents of each block; linear in the text. */
function answerBlocks(text: string): string[] {
  const blocks: string[] = [];
  for (let from = 0; ; ) {
    const open = text.indexOf(OPEN, from);
    const close = open < 0 ? -1 : text.indexOf(CLOSE, open + OPEN.length);
    if (close < 0) return blocks;
    blocks.push(text.slice(open + OPEN.length, close));
    from = close + CLOSE.length;
  }
}

const NON_ANSWER =
  /^\W*(?:sorry\W+)?(?:(?:i|we) (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|am not|are not|['’]m not)\b.*?\b(?:know|sure|certain|solve|answer|determine|find|figure)|i['’]m not (?:sure|certain)|no idea|not sure|unsure|no answer|(?:i have )?no clue|unknown)\b/i;

/** Whether a text is empty or says that it has no answer. */
export function isNonAnswer(text: string): boolean {
  return text.trim() === '' || NON_ANSWER.test(text.slice(0, 200));
}
