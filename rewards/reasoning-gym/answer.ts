import { strip } from './python-text.ts';

const OPEN = '<answer>';
const CLOSE = '</answer>';

/**
 * What reasoning-gym scores of a response: the text of the last `<answer>…</answer>`, trimmed; the whole
 * response as it is where there is none.
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
