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
