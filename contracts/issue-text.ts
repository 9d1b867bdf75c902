/** Turns a schema's issues into messages: what was expected and what was found. */
import type { z } from 'zod';

/**
 * The issues to report. Of two bounds of one kind that a value exceeds, only the narrower is reported. Rules over
 * several keys are reported only where the value itself is valid.
 */
export function strictest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const at = new Map<string, z.core.$ZodIssue[]>();
  const keyOf = ({ path }: z.core.$ZodIssue) => path.map(String).join('\0');
  for (const issue of issues) at.set(keyOf(issue), [...(at.get(keyOf(issue)) ?? []), issue]);
  return issues.filter((issue) => {
    const others = at.get(keyOf(issue)) ?? [];
    if (issue.code === 'too_big')
      return others.every((other) => other.code !== 'too_big' || other.maximum >= issue.maximum);
    if (issue.code === 'too_small')
      return others.every((other) => other.code !== 'too_small' || other.minimum <= issue.minimum);
    return issue.code !== 'custom' || others.every(({ code }) => code === 'custom');
  });
}

/** `expected at most 10, found 1e+30`; the schema's own message where it has one. */
export function issueText(issue: z.core.$ZodIssue, found: unknown): string {
  const expected = expectation(issue, found);
  if (expected !== undefined) return `expected ${expected}, found ${quoted(found)}`;
  const { message } = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue;
  // Custom messages say what was expected; some also say what was found.
  if (!message.startsWith('expected') || message.includes(', found')) return message;
  return `${message}, found ${quoted(issue.code === 'invalid_key' ? issue.path.at(-1) : found)}`;
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

/** What the schema expects, in words; undefined where it has its own message. */
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

/** The value in YAML's notation, shortened. */
function quoted(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return numberText(value);
  const text = JSON.stringify(value, plain) ?? String(value);
  return text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED - 3)}…` : text;
}

/** Values that JSON cannot represent. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return numberText(value);
  return typeof value === 'bigint' ? String(value) : value;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (value === Number.POSITIVE_INFINITY) return '.inf';
  return value === Number.NEGATIVE_INFINITY ? '-.inf' : String(value);
}
