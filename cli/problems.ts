/** What a schema finds wrong with a document, in words that name the key, what was expected and what was found. */
import type { z } from 'zod';
import { keysAt, type Path, pathText, valueAt } from './schema-keys.ts';
import { suggestion } from './suggestion.ts';

export interface Problem {
  /** of the value, or for an unknown or missing key of that key */
  path: Path;
  /** the text without the place in a file: `stages[0].options.max_steps: expected …` */
  text: string;
}

/** Every problem of `data`, in the order in which the schema meets them. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType, data: unknown): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, schema, data));
}

function problemsOfIssue(issue: z.core.$ZodIssue, schema: z.core.$ZodType, data: unknown): Problem[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, data, path);
    return issue.keys.map((key) =>
      problem([...path, key], `unknown key${suggestion(key, known) || `; known: ${known.join(', ')}`}`),
    );
  }
  return [problem(path, describe(issue, valueAt(data, path)))];
}

function problem(path: Path, what: string): Problem {
  return { path, text: `${pathText(path) || '(the whole)'}: ${what}` };
}

function describe(issue: z.core.$ZodIssue, found: unknown): string {
  const expected = expectation(issue);
  if (expected === undefined) return issue.message;
  return `expected ${expected}, found ${quoted(found)}`;
}

const NAMES: Record<string, string> = {
  object: 'a group of keys',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
};

/** What the schema wanted, in words; undefined where its own message says it all. */
function expectation(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return NAMES[issue.expected] ?? issue.expected;
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

function quoted(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
