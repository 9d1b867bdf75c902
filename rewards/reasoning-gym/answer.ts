import { strip } from './python-text.ts';

const OPEN = '<answer>';
const CLOSE = '</answer>';

/**
 * The part of a response that reasoning-gym scores: the trimmed text of the last `<answer>…</answer>`, or all of it.
 */
export function answerOf(response: string): string {
  let answer = response;
  let open = response.indexOf(OPEN);
  while (open >= 0) {
    const close = response.indexOf(CLOSE, open + OPEN.length);
    if (close < 0) break;
    answer = strip(response.slice(open + OPEN.length, close));
    open = response.indexOf(OPEN, close + CLOSE.length);
  }
  return answer;
}
