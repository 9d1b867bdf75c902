/** Reads a literal value in the syntax of JSON or Python, without evaluating it. */
import { isExactNumber } from '../../contracts/exact-json.ts';

/** Most characters, and most levels of brackets, of a literal. */
const LONGEST = 100_000;
const DEEPEST = 100;

const TOKEN =
  /\s*(?:([[\](){},:])|(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([A-Za-z]+))/y;

const CONSTANTS: Record<string, boolean | null> = {
  true: true,
  false: false,
  null: null,
  True: true,
  False: false,
  None: null,
};

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '0': '\0' };

/**
 * Reads numbers, strings, constants, lists, tuples (as lists) and objects; undefined for anything else. Integers are
 * exact: beyond 2^53 they are bigints, even where they are written as 1e20. Other numbers are doubles.
 */
export function parseLiteral(text: string): unknown {
  const tokens = text.length > LONGEST ? null : tokenize(text.trim());
  if (tokens === null) return undefined;
  const reader = { tokens, position: 0 };
  const value = readValue(reader, 0);
  return reader.position === tokens.length ? value : undefined;
}

interface Reader {
  tokens: readonly string[];
  position: number;
}

function tokenize(text: string): string[] | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let end = 0; end < text.length; end = TOKEN.lastIndex) {
    const match = TOKEN.exec(text);
    if (match === null) return null;
    tokens.push(match[0].trim());
  }
  return tokens;
}

function readValue(reader: Reader, depth: number): unknown {
  const token = reader.tokens[reader.position++];
  if (token === undefined || depth > DEEPEST) return undefined;
  if (token === '[') return readList(reader, ']', depth)?.items;
  if (token === '(') return readTuple(reader, depth);
  if (token === '{') return readObject(reader, depth);
  if (/^["']/.test(token)) return unescaped(token.slice(1, -1));
  if (/^[-.\d]/.test(token)) return numberOf(token);
  return Object.hasOwn(CONSTANTS, token) ? CONSTANTS[token] : undefined;
}

/** The items up to the closing bracket; null on a syntax error. */
function readList(reader: Reader, close: string, depth: number) {
  const items: unknown[] = [];
  let commas = 0;
  while (reader.tokens[reader.position] !== close) {
    const item = readValue(reader, depth + 1);
    if (item === undefined) return null;
    items.push(item);
    if (reader.tokens[reader.position] === close) break;
    if (reader.tokens[reader.position++] !== ',') return null;
    commas++;
  }
  reader.position++;
  return { items, commas };
}

/** `(1, 2)` and `(1,)` are tuples; `(1)` is the number. */
function readTuple(reader: Reader, depth: number): unknown {
  const list = readList(reader, ')', depth);
  if (list === null) return undefined;
  return list.items.length === 1 && list.commas === 0 ? list.items[0] : list.items;
}

function readObject(reader: Reader, depth: number): unknown {
  const entries: [string, unknown][] = [];
  while (reader.tokens[reader.position] !== '}') {
    const key = readValue(reader, depth + 1);
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') return undefined;
    if (reader.tokens[reader.position++] !== ':') return undefined;
    const value = readValue(reader, depth + 1);
    if (value === undefined) return undefined;
    entries.push([String(key), value]);
    if (reader.tokens[reader.position] === '}') break;
    if (reader.tokens[reader.position++] !== ',') return undefined;
  }
  reader.position++;
  return Object.fromEntries(entries);
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs, (_, four, two, letter) => {
    const hex: string | undefined = four ?? two;
    return hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16));
  });
}

const INTEGER = /^-?\d+$/;

/** The integer as written, or the double; undefined outside the range of doubles. */
function numberOf(text: string): number | bigint | undefined {
  const value = Number(text);
  return INTEGER.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : exactNumber(value);
}

/** As in Python, a double equals the integer that it holds, however large. Negative zero becomes zero. */
function exactNumber(value: number): number | bigint | undefined {
  if (!Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value + 0;
}

/** A JSON value with its numbers as `parseLiteral` returns them; undefined for any other value. */
export function literalOf(value: unknown): unknown {
  if (typeof value === 'number') return exactNumber(value);
  if (isExactNumber(value)) return numberOf(String(value));
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return undefined;
  if (Array.isArray(value)) {
    const items = value.map(literalOf);
    return items.includes(undefined) ? undefined : items;
  }
  const fields = Object.entries(value).map(([key, each]) => [key, literalOf(each)] as const);
  return fields.some(([, each]) => each === undefined) ? undefined : Object.fromEntries(fields);
}
