/** What a schema finds wrong with a document, in words that name the key, what was expected and what was found. */
import type { z } from 'zod';
import { keysAt, type Path, pathText, valueAt } from './schema-keys.ts';
import { suggestion } from './suggestion.ts';

export interface Problem {
  /** of the value, or for an unknown or missing key of that key */
  path: Path;
  /** the text without the place in a file: `stages[0].options.max_steps: expected …` */
  text: string;
  /** what is the same where one slip is made at several places: the last key and what is wrong */
  same: string;
}

/** Every problem of `data`, in the order in which the schema meets them. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType, data: unknown): Problem[] {
  const listed = new Set<string>();
  return strictest(error.issues).flatMap((issue) => problemsOfIssue(issue, { schema, data, listed }));
}

interface Context {
  schema: z.core.$ZodType;
  data: unknown;
  /** lists of known keys that were shown already: each is long, and shown once */
  listed: Set<string>;
}

function problemsOfIssue(issue: z.core.$ZodIssue, context: Context): Problem[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => problem([...path, key], unknownKey(key, path, context)));
  return [problem(path, describe(issue, valueAt(context.data, path)))];
}

function unknownKey(key: string, path: Path, { schema, data, listed }: Context): string {
  const known = keysAt(schema, data, path);
  const nearest = suggestion(key, known);
  const list = known.join(', ');
  if (nearest !== '' || list === '' || listed.has(list)) return `unknown key${nearest}`;
  listed.add(list);
  return `unknown key; known: ${list}`;
}

function problem(path: Path, what: string): Problem {
  const text = `${pathText(path) || '(the whole)'}: ${what}`;
  return { path, text, same: `${path.at(-1) ?? ''}: ${what.split('; known:', 1)[0]}` };
}

/**
 * A value beyond two bounds of one kind is told the narrower one alone; what a rule of several keys says of it comes
 * when the value itself is right.
 */
function strictest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const at = new Map<string, z.core.$ZodIssue[]>();
  const place = ({ path }: z.core.$ZodIssue) => path.map(String).join('\0');
  for (const issue of issues) at.set(place(issue), [...(at.get(place(issue)) ?? []), issue]);
  return issues.filter((issue) => {
    const others = at.get(place(issue)) ?? [];
    if (issue.code === 'too_big')
      return others.every((other) => other.code !== 'too_big' || other.maximum >= issue.maximum);
    if (issue.code === 'too_small')
      return others.every((other) => other.code !== 'too_small' || other.minimum <= issue.minimum);
    return issue.code !== 'custom' || others.every(({ code }) => code === 'custom');
  });
}

function describe(issue: z.core.$ZodIssue, found: unknown): string {
  const expected = expectation(issue, found);
  if (expected !== undefined) return `expected ${expected}, found ${quoted(found)}`;
  const { message } = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue;
  // What schemas say of their own: some name what was found, all say what was expected.
  if (!message.startsWith('expected') || message.includes(', found')) return message;
  const key = issue.code === 'invalid_key' ? issue.path.at(-1) : found;
  return `${message}, found ${quoted(key)}${meant(issue, key)}`;
}

/** `; did you mean zero?` where a schema says which names it knows. */
function meant(issue: z.core.$ZodIssue, found: unknown): string {
  const known: unknown = issue.code === 'custom' ? issue.params?.known : undefined;
  if (!Array.isArray(known) || typeof found !== 'string') return '';
  return suggestion(found, known.map(String));
}

const NAMES: Record<string, string> = {
  object: 'a group of keys',
  record: 'a group of keys',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
};

/** What the schema wanted, in words; undefined where its own message says it all. */
function expectation(issue: z.core.$ZodIssue, found: unknown): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeof found === 'number' && !Number.isFinite(found)
        ? 'a finite number'
        : (NAMES[issue.expected] ?? issue.expected);
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? oneOf(issue.options) : undefined;
    case 'too_small':
      return bound(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum);
    default:
      return;
  }
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'array') return `${relation} ${limit} in the list`;
  if (origin === 'string') return `a text of ${relation} ${limit} characters`;
  return `${relation} ${limit}`;
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length === 1 ? (texts[0] ?? '') : `one of ${texts.join(', ')}`;
}

const MOST_QUOTED = 60;

/** As YAML writes it, cut. */
export function quoted(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return numberText(value);
  const text = JSON.stringify(value, plain) ?? String(value);
  return text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED - 3)}…` : text;
}

/** What JSON has no form for. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return numberText(value);
  return typeof value === 'bigint' ? String(value) : value;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (value === Number.POSITIVE_INFINITY) return '.inf';
  return value === Number.NEGATIVE_INFINITY ? '-.inf' : String(value);
}
