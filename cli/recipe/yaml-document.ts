/** Parses YAML into data and line numbers, with readable error messages. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { InputError, messageOf } from '../errors.ts';
import { grouped, lineText } from './problems.ts';
import type { Path } from './schema-keys.ts';

/** The data of a YAML file, and the line of each value. */
export interface YamlDocument {
  data: unknown;
  /** The line, from 1, of the key at `path`, or of the nearest group above it. */
  lineOf(path: Path): number;
}

/** Deepest nesting; a recipe has seven levels. */
const DEEPEST = 50;
/** A problem and its position in the text. */
interface Flaw {
  offset: number;
  message: string;
}

/** Parses YAML. Throws InputError with every problem and its line; `file` is its name in messages. */
export function parseYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const document = parsed(text, file, lines);
  const broken =
    document.errors.length > 0
      ? document.errors.map((error) => flawOfError(error, text))
      : flawsOfNodes(document, text);
  if (broken.length > 0) {
    const places = grouped(broken.map(({ offset, message }) => ({ line: lineAt(offset), what: message })));
    throw new InputError(
      `${places.map((place) => lineText(file, place)).join('\n')}\nExpected YAML: correct the file; nothing was done.`,
    );
  }
  return {
    data: dataOf(document, (offset) => `${file} line ${lineAt(offset)}`),
    lineOf: (path) => lineAt(offsetOf(document, path)),
  };
}

function parsed(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, merge: true, logLevel: 'error' });
  } catch (error) {
    throw isTooDeep(error)
      ? new InputError(`${file}: ${TOO_DEEP}. Correct the file; nothing was done.`)
      : error;
  }
}

function dataOf(document: Document.Parsed, place: (offset: number) => string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Each alias alone is valid, but they are nested in one another.
    const aliases: Alias[] = [];
    visit(document, { Alias: (_, alias) => void aliases.push(alias) });
    const message = /alias count/.test(messageOf(error))
      ? 'expected aliases (*name) that expand to little, found some that multiply one another. Write out their values'
      : `expected plain values, found what has none: ${messageOf(error)}`;
    throw new InputError(`${place(startOf(aliases.at(-1) ?? null))}: ${message}; nothing was done.`);
  }
}

/** The parser is recursive. */
const isTooDeep = (error: unknown) => error instanceof RangeError;

const TOO_DEEP = `expected at most ${DEEPEST} groups within one another, found more`;

/** Better messages than the parser's own, by its codes. */
const MESSAGES: Partial<Record<YAMLError['code'], (found: string) => string>> = {
  TAB_AS_INDENT: () => 'expected blanks as indentation, found a tab',
  DUPLICATE_KEY: (found) => `expected each key of a group once, found ${found} again`,
  MULTIPLE_DOCS: () => 'expected one document, found another after it (---)',
  TAG_RESOLVE_FAILED: (found) => `expected a value without a tag, found ${found}`,
};

function flawOfError({ code, message, pos: [offset] }: YAMLError, text: string): Flaw {
  if (/call stack/.test(message)) return { offset, message: TOO_DEEP };
  const [word = ''] = /^[^\s:,]{1,60}/.exec(text.slice(offset, offset + 60)) ?? [];
  return { offset, message: MESSAGES[code]?.(word) ?? message };
}

/** Problems of documents that parse: aliases, merge keys, other keys. */
function flawsOfNodes(document: Document.Parsed, text: string): Flaw[] {
  const flaws: Flaw[] = [];
  const anchors = new Set<string>();
  const found = (node: unknown, message: string) =>
    flaws.push({ offset: isNode(node) ? startOf(node) : 0, message });
  visit(document, {
    Alias: (_, alias, ancestors) => {
      const problem = problemOfAlias(alias, anchors, ancestors);
      if (problem !== undefined) found(alias, problem);
    },
    Pair: (_, pair) => {
      const problem = problemOfPair(pair, document);
      if (problem !== undefined) found(pair.key, problem);
    },
    Node: (_, node, ancestors) => {
      if (isAlias(node)) return;
      if (node.anchor !== undefined) anchors.add(node.anchor);
      const depth = ancestors.filter((ancestor) => !isPair(ancestor)).length;
      if (depth <= DEEPEST) return;
      found(node, TOO_DEEP);
      return visit.BREAK;
    },
  });
  flaws.push(...document.warnings.map((warning) => flawOfError(warning, text)));
  return flaws.sort((a, b) => a.offset - b.offset);
}

function problemOfAlias(
  { source }: Alias,
  anchors: ReadonlySet<string>,
  ancestors: readonly unknown[],
): string | undefined {
  if (ancestors.some((ancestor) => isNode(ancestor) && !isAlias(ancestor) && ancestor.anchor === source))
    return `expected *${source} outside of its own anchor, found it within`;
  if (anchors.has(source)) return;
  const known = [...anchors].map((name) => `&${name}`).join(', ') || 'none';
  return `*${source}: expected an alias of an anchor before it (${known}), found no &${source}`;
}

function problemOfPair({ key, value }: Pair, document: Document): string | undefined {
  if (!isScalar(key)) return 'expected a word as key, found a group or a list';
  if (!isMergeKey(key)) return;
  const sources = isSeq(value) ? value.items : [value];
  // An unknown alias is reported separately.
  const merges = sources.every((source) => isMap(isAlias(source) ? source.resolve(document) : source));
  const unresolved = sources.some((source) => isAlias(source) && source.resolve(document) === undefined);
  return merges || unresolved ? undefined : '<<: expected a group of keys, or an alias of one (*name)';
}

/** Follows a path as far as the document has it, through aliases and merged groups. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let node: Node | null = document.contents;
  let offset = startOf(node);
  for (const key of path) {
    const child = childOf(document, node, key);
    if (child === undefined) return offset;
    offset = child.offset;
    node = child.value;
  }
  return offset;
}

interface Child {
  offset: number;
  value: Node | null;
}

function childOf(document: Document, of: Node | null, key: string | number): Child | undefined {
  const node = written(document, of);
  if (isMap<Node, Node | null>(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return pair ? { offset: startOf(pair.key), value: pair.value } : mergedChildOf(document, node, key);
  }
  const item = isSeq(node) && typeof key === 'number' ? node.items[key] : undefined;
  return isNode(item) ? { offset: startOf(item), value: item } : undefined;
}

function mergedChildOf(
  document: Document,
  { items }: YAMLMap<Node, Node | null>,
  key: string | number,
): Child | undefined {
  const merges = items.filter((item) => isMergeKey(item.key));
  const sources = merges.flatMap(({ value }) => (isSeq<Node>(value) ? value.items : [value]));
  for (const source of sources) {
    const child = childOf(document, source, key);
    if (child !== undefined) return child;
  }
  return undefined;
}

/** The library represents a merge key as a symbol. */
const isMergeKey = (key: unknown) => isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol');

/** The node that an alias refers to. */
const written = (document: Document, node: Node | null): Node | null =>
  isAlias(node) ? (node.resolve(document) ?? null) : node;

const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;
