const THINK_END = '</think>';

/**
 * The text inside the one `<answer>…</answer>` that follows the first `</think>`, trimmed; null where
 * there is no thinking's end, no such block, more than one (several guesses are no answer), or nothing
 * inside it. What follows the block does not matter here; it does to the format reward.
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

/** What stands in each block, in one pass over the text. */
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

const NOTHING =
  /^\W*(?:sorry\W+)?(?:(?:i|we) (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|am not|are not|['’]m not)\b.*?\b(?:know|sure|certain|solve|answer|determine|find|figure)|i['’]m not (?:sure|certain)|no idea|not sure|unsure|no answer|(?:i have )?no clue|unknown)\b/i;

/** Whether a text says that it has no answer. */
export function saysNothing(text: string): boolean {
  return text.trim() === '' || NOTHING.test(text.slice(0, 200));
}
