/** Reads text files: UTF-8, or UTF-16 with a byte order mark. Other bytes are an error; they are never replaced. */
import { createReadStream } from 'node:fs';
import { Failure } from '../../contracts/failures.ts';

/** A line without its line break, or what is wrong with it. */
type TextLine = { text: string; fault: null } | { text: null; fault: string };

type Encoding = 'utf8' | 'utf16le' | 'utf16be';

/** Half of a surrogate pair. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const NEWLINE = 0x0a;
const LONGEST_MARK = 4;

/** The encoding by the byte order mark, and the length of the mark. Throws Failure 'InvalidInput' for UTF-32. */
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
 * Streams the lines of a file. Only `\n`, `\r\n` and `\r` end a line: U+2028 may occur within a JSON text. Throws
 * Failure 'InvalidInput' where the file is not text.
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

/** The end of the last complete line. */
function endOfLines(bytes: Buffer, encoding: Encoding): number {
  if (encoding === 'utf8') return bytes.lastIndexOf(NEWLINE) + 1;
  const newline = Buffer.from(encoding === 'utf16le' ? [NEWLINE, 0] : [0, NEWLINE]);
  let at = bytes.lastIndexOf(newline);
  // UTF-16 units begin at even offsets
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

/** UTF-8 as text; null where the bytes are not UTF-8. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return whole.decode(bytes);
  } catch {
    return null;
  }
}

/** Whether the bytes are valid UTF-8, possibly cut off within a character. */
function begins(bytes: Uint8Array): boolean {
  try {
    strict().decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Describes the first byte of a line that is not UTF-8. */
function faultOf(line: Buffer): string {
  if (begins(line)) return 'expected UTF-8, found a character that is cut off.';
  let [good, bad] = [0, line.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (begins(line.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  // back to the first byte of the invalid character
  while (decoded(line.subarray(0, good)) === null) good--;
  const byte = (line[good] ?? 0).toString(16).padStart(2, '0');
  return `expected UTF-8, found the byte 0x${byte}, which begins no character of it.`;
}

/** The text of a file. Throws Failure 'InvalidInput' naming the line that is not valid. */
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

/** Describes a character that cannot be stored, in a text or anywhere in a JSON value; null where there is none. */
export function brokenText(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'a NUL character, which PostgreSQL cannot hold';
    return LONE_SURROGATE.test(value)
      ? 'half of a surrogate pair (\\ud800 … \\udfff), which is not a character'
      : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, each] of Object.entries(value)) {
    const fault = brokenText(key) ?? brokenText(each);
    if (fault !== null) return fault;
  }
  return null;
}

/** Throws Failure 'InvalidInput' naming the first field with a character that cannot be stored. */
export function refuseBroken(row: object, source: string, line: number): void {
  for (const [field, value] of Object.entries(row)) {
    const fault = brokenText(value);
    if (fault !== null)
      throw new Failure(
        'InvalidInput',
        `${source} line ${line}: ${field}: expected text of whole characters, found ${fault}; nothing was imported: correct the file`,
      );
  }
}
