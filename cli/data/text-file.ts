/** Text files as bytes: UTF-8, or UTF-16 with a byte order mark. What is neither is refused, never replaced. */
import { createReadStream } from 'node:fs';
import { Failure } from '../../contracts/failures.ts';

/** A line without its end, or what is wrong with it. */
export type TextLine = { text: string; fault: null } | { text: null; fault: string };

type Encoding = 'utf8' | 'utf16le' | 'utf16be';

/** Half of a surrogate pair. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const NEWLINE = 0x0a;
const LONGEST_MARK = 4;

/** The encoding that a file's first bytes say, and how many bytes say it. Throws Failure 'InvalidInput' of UTF-32. */
function markOf(bytes: Uint8Array, path: string): { encoding: Encoding; length: number } {
  const [a, b, c, d] = bytes;
  const isUtf32 =
    (a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff);
  if (isUtf32)
    throw new Failure(
      'InvalidInput',
      `${path}: expected UTF-8, or UTF-16 with a byte order mark, found UTF-32. Convert the file to UTF-8.`,
    );
  if (a === 0xff && b === 0xfe) return { encoding: 'utf16le', length: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf16be', length: 2 };
  return { encoding: 'utf8', length: a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0 };
}

/**
 * The lines of a file, one after the other. They end in `\n`, `\r\n` or `\r`, and nowhere else: U+2028 may stand
 * within a text of JSON. Throws Failure 'InvalidInput' where the file cannot be read as text at all.
 */
export async function* readTextLines(path: string): AsyncGenerator<TextLine> {
  let encoding: Encoding | null = null;
  let parts: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    parts.push(chunk);
    if (encoding !== null && !chunk.includes(NEWLINE)) continue;
    let bytes = Buffer.concat(parts);
    if (encoding === null) {
      if (bytes.length < LONGEST_MARK) continue;
      const mark = markOf(bytes, path);
      encoding = mark.encoding;
      bytes = bytes.subarray(mark.length);
    }
    const end = endOfLines(bytes, encoding);
    yield* linesIn(bytes.subarray(0, end), encoding);
    parts = [bytes.subarray(end)];
  }
  const rest = Buffer.concat(parts);
  const mark = encoding === null ? markOf(rest, path) : { encoding, length: 0 };
  yield* linesIn(rest.subarray(mark.length), mark.encoding);
}

/** Where the last whole line of these bytes ends. */
function endOfLines(bytes: Buffer, encoding: Encoding): number {
  if (encoding === 'utf8') return bytes.lastIndexOf(NEWLINE) + 1;
  const newline = Buffer.from(encoding === 'utf16le' ? [NEWLINE, 0] : [0, NEWLINE]);
  let at = bytes.lastIndexOf(newline);
  // a unit begins at an even byte
  while (at > 0 && at % 2 === 1) at = bytes.lastIndexOf(newline, at - 1);
  return at < 0 || at % 2 === 1 ? 0 : at + 2;
}

function* linesIn(bytes: Buffer, encoding: Encoding): Generator<TextLine> {
  if (encoding !== 'utf8') {
    const texts = utf16(bytes, encoding).split('\n');
    if (texts.at(-1) === '') texts.pop();
    for (const text of texts) yield* physicalLines(text);
    return;
  }
  for (let begin = 0; begin < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(begin, end);
    const text = decoded(line);
    if (text === null) yield { text, fault: `${faultOf(line)} Convert the file to UTF-8.` };
    else yield* physicalLines(text);
    begin = end + 1;
  }
}

function* physicalLines(text: string): Generator<TextLine> {
  const bare = text.endsWith('\r') ? text.slice(0, -1) : text;
  for (const line of bare.split('\r'))
    yield LONE_SURROGATE.test(line)
      ? { text: null, fault: 'expected UTF-16, found half of a surrogate pair. Convert the file to UTF-8.' }
      : { text: line, fault: null };
}

function utf16(bytes: Buffer, encoding: Encoding): string {
  const even = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return (encoding === 'utf16be' ? even.swap16() : even).toString('utf16le');
}

const strict = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const whole = strict();

/** The text that bytes of UTF-8 are; null where they are none. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return whole.decode(bytes);
  } catch {
    return null;
  }
}

/** Whether bytes of UTF-8 are the beginning of a text, perhaps cut off within a character. */
function begins(bytes: Uint8Array): boolean {
  try {
    strict().decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Names the first byte of a line that is no UTF-8. */
function faultOf(line: Buffer): string {
  if (begins(line)) return 'expected UTF-8, found a character that is cut off.';
  let [good, bad] = [0, line.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (begins(line.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  // back to the first byte of the character that goes wrong
  while (decoded(line.subarray(0, good)) === null) good--;
  const byte = (line[good] ?? 0).toString(16).padStart(2, '0');
  return `expected UTF-8, found the byte 0x${byte}, which begins no character of it.`;
}

/** The text of a whole file. Throws Failure 'InvalidInput' naming the line that is no text. */
export function textOfBytes(bytes: Uint8Array, path: string): string {
  const { encoding, length } = markOf(bytes, path);
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + length, bytes.byteLength - length);
  const text = encoding === 'utf8' ? decoded(body) : utf16(body, encoding);
  if (text !== null && !LONE_SURROGATE.test(text)) return text;
  let line = 0;
  for (const { fault } of linesIn(body, encoding)) {
    line++;
    if (fault !== null) throw new Failure('InvalidInput', `${path} line ${line}: ${fault}`);
  }
  throw new Failure('InvalidInput', `${path}: expected UTF-8, found other bytes. Convert the file to UTF-8.`);
}

/** What no store can hold as it stands, where a text, or one within a value of JSON, has it; else null. */
export function brokenText(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'a NUL character, which PostgreSQL cannot hold';
    return LONE_SURROGATE.test(value)
      ? 'half of a surrogate pair (\\ud800 … \\udfff), which is no character'
      : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, each] of Object.entries(value)) {
    const fault = brokenText(key) ?? brokenText(each);
    if (fault !== null) return fault;
  }
  return null;
}

/** Throws Failure 'InvalidInput' naming the field of a row whose text would lose characters. */
export function refuseBroken(row: object, source: string, line: number): void {
  for (const [field, value] of Object.entries(row)) {
    const fault = brokenText(value);
    if (fault !== null)
      throw new Failure(
        'InvalidInput',
        `${source} line ${line}: ${field}: expected text of whole characters, found ${fault}; nothing was imported: mend the file`,
      );
  }
}
