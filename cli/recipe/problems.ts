/** The problems that a schema finds in a document: key, expected, found. */
import type { z } from 'zod';
import { issueText, strictest } from '../../contracts/issue-text.ts';
import { suggestion } from '../suggestion.ts';
import { keysAt, type Path, pathText, valueAt } from './schema-keys.ts';

export interface Problem {
  /** of the value; of the key itself where it is unknown or missing */
  path: Path;
  /** the message without file and line: `stages[0].options.max_steps: expected …` */
  text: string;
  /** equal for the same mistake in several places: the last key and the problem */
  same: string;
}

/** Every problem of `data`, in the schema's order. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType, data: unknown): Problem[] {
  const listed = new Set<string>();
  return strictest(error.issues).flatMap((issue) => problemsOfIssue(issue, { schema, data, listed }));
}

interface Context {
  schema: z.core.$ZodType;
  data: unknown;
  /** lists of known keys already shown: each is long, and shown once */
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

/** `; did you mean zero?` where the schema lists the known names. */
function meant(issue: z.core.$ZodIssue, found: unknown): string {
  const known: unknown = issue.code === 'custom' ? issue.params?.known : undefined;
  if (!Array.isArray(known) || typeof found !== 'string') return '';
  return suggestion(found, known.map(String));
}

/** A problem with its line. The same mistake on several lines is reported once, with all lines. */

interface LocatedProblem {
  /** line in the file, from 1; null where `where` names another origin */
  line: number | null;
  where?: string;
  /** key, expected and found */
  what: string;
  /** equal for the same mistake; left out: `what` decides */
  same?: string;
}

interface ProblemGroup extends LocatedProblem {
  /** further lines with the same mistake */
  also: number[];
}

/** Most problems shown; a mistake at the top of a file causes many. */
const MOST_SHOWN = 20;
const MOST_LINES = 10;

/** Groups equal mistakes, in the order of their first line. */
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

/** All problems, or the first ones and the number of the others. */
export function linesText(file: string, groups: readonly ProblemGroup[]): string {
  const shown = groups.slice(0, MOST_SHOWN).map((group) => lineText(file, group));
  const left = groups.length - shown.length;
  return [...shown, ...(left > 0 ? [`… and ${left} more`] : [])].join('\n');
}
