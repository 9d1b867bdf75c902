import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { InputError } from './errors.ts';
import type { Path } from './schema-keys.ts';

/** A YAML file's data, and where in the file each value stands. */
export interface YamlDocument {
  data: unknown;
  /** The line, from 1, of the key at `path`, or of the nearest group that should hold it. */
  lineOf(path: Path): number;
}

/** Parses YAML. Throws InputError with every place at which it is broken; `file` names it. */
export function parseYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const broken = document.errors.map(
    ({ message, pos: [offset] }) => `${file} line ${lines.linePos(offset).line}: ${message}`,
  );
  if (broken.length > 0) {
    throw new InputError(`${broken.join('\n')}\nExpected YAML: mend the file; nothing was done.`);
  }
  const root = document.contents;
  return {
    data: document.toJS(),
    lineOf: (path) => lines.linePos(offsetOf(root, path)).line,
  };
}

/** Walks down as far as the document goes. */
function offsetOf(root: Node | null, path: Path): number {
  let node = root;
  let offset = startOf(root);
  for (const key of path) {
    const child = childOf(node, key);
    if (child === undefined) return offset;
    offset = child.offset;
    node = child.value;
  }
  return offset;
}

function childOf(
  node: Node | null,
  key: string | number,
): { offset: number; value: Node | null } | undefined {
  if (isMap<Node, Node | null>(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    return pair && { offset: startOf(pair.key), value: pair.value };
  }
  const item = node !== null && 'items' in node && typeof key === 'number' ? node.items[key] : undefined;
  return isNode(item) ? { offset: startOf(item), value: item } : undefined;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'range' in value;
const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;
