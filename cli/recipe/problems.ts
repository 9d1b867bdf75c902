/** What a schema finds wrong with a document, in words that name the key, what was expected and what was found. */
import type { z } from 'zod';
import { issueText, strictest } from '../../contracts/issue-text.ts';
import { suggestion } from '../suggestion.ts';
import { keysAt, type Path, pathText, valueAt } from './schema-keys.ts';

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

function describe(issue: z.core.$ZodIssue, found: unknown): string {
  return issueText(issue, found) + meant(issue, found);
}

/** `; did you mean zero?` where a schema says which names it knows. */
function meant(issue: z.core.$ZodIssue, found: unknown): string {
  const known: unknown = issue.code === 'custom' ? issue.params?.known : undefined;
  if (!Array.isArray(known) || typeof found !== 'string') return '';
  return suggestion(found, known.map(String));
}

/** Problems of a file as lines: one that repeats is said once, with every line that has it. */

export interface LocatedProblem {
  /** in the file, from 1; null: outside of it, as `where` says */
  line: number | null;
  where?: string;
  /** the key, expected and found */
  what: string;
  /** problems that are one slip made several times; left out: those of the same words */
  same?: string;
}

export interface ProblemGroup extends LocatedProblem {
  /** further lines of the same slip */
  also: number[];
}

/** Problems that are told; a slip at the top of a file makes many. */
const MOST_TOLD = 20;
const MOST_LINES = 10;

/** In the order of their first occurrence. */
export function grouped(problems: readonly LocatedProblem[]): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup>();
  for (const problem of problems) {
    const name = `${problem.where ?? ''}\0${problem.same ?? problem.what}`;
    const known = groups.get(name);
    if (known === undefined) groups.set(name, { ...problem, also: [] });
    else if (problem.line !== null && problem.line !== known.line && !known.also.includes(problem.line))
      known.also.push(problem.line);
  }
  return [...groups.values()];
}

/** `recipes/x.yaml line 12: seed: expected … (also in line 14)` */
export function lineText(file: string, { line, where, what, also }: ProblemGroup): string {
  const place = line === null ? (where ?? file) : `${file} line ${line}`;
  if (also.length === 0) return `${place}: ${what}`;
  const more = also.length > MOST_LINES ? `, … (${also.length - MOST_LINES} more)` : '';
  const lines = also.length === 1 ? 'line' : 'lines';
  return `${place}: ${what} (also in ${lines} ${also.slice(0, MOST_LINES).join(', ')}${more})`;
}

/** All of them, or the first with the number of those left out. */
export function linesText(file: string, groups: readonly ProblemGroup[]): string {
  const told = groups.slice(0, MOST_TOLD).map((group) => lineText(file, group));
  const left = groups.length - told.length;
  return [...told, ...(left > 0 ? [`… and ${left} more`] : [])].join('\n');
}
