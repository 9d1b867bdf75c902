/** What a model wrote, on one line of a terminal that it must not command. */

/** Control characters, line separators and marks that turn the direction of text. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const NAMED: Record<string, string> = { '\n': '⏎', '\t': ' ', '\r': '' };

/** The same in its own lines. */
export function plainLines(text: string, length: number): string[] {
  const lines = text.slice(0, 2 * length).split(/\r?\n/);
  let left = length;
  const shown: string[] = [];
  for (const line of lines) {
    if (left <= 0) break;
    shown.push(plainText(line, left));
    left -= line.length + 1;
  }
  const isCut = shown.length < lines.length || text.length > 2 * length;
  return isCut && !shown.at(-1)?.endsWith('…') ? [...shown, '…'] : shown;
}

/** The text's beginning, at most `length` characters, with whatever is not to be printed made visible. */
export function plainText(text: string, length: number): string {
  const shown = [...text.slice(0, 2 * length)].slice(0, length).join('');
  const plain = shown.replace(
    UNSAFE,
    (character) => NAMED[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return shown.length < text.length ? `${plain}…` : plain;
}
