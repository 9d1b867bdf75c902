import { z } from 'zod';
import { isConsistent, type Statement } from '../../algorithm/puzzles/truth-tellers.ts';
import { finalText } from '../chain-of-thought.ts';
import { defineVerifier } from '../verifier.ts';

/** Most levels of nesting in a statement. */
const DEEPEST = 20;

function isStatement(value: unknown, depth = 0): value is Statement {
  if (!Array.isArray(value) || depth > DEEPEST) return false;
  const [kind, ...rest]: unknown[] = value;
  if (kind === 'telling-truth' || kind === 'lying') return rest.length === 1 && Number.isInteger(rest[0]);
  const parts = { not: [1, 1], '->': [2, 2], '<=>': [2, 2], and: [1, 26], or: [1, 26] }[String(kind)];
  if (parts === undefined || rest.length < (parts[0] ?? 0) || rest.length > (parts[1] ?? 0)) return false;
  return rest.every((part) => isStatement(part, depth + 1));
}

const truth = z
  .looseObject({
    names: z.array(z.string().trim().min(1)).min(1).max(26),
    /** the statement of each person, in the order of the names */
    statements: z.array(z.custom<Statement>((value) => isStatement(value), 'expected a statement')),
    /** the puzzle's names for those who speak the truth and those who lie */
    roles: z.object({ knight: z.string(), knave: z.string() }).default({ knight: 'knight', knave: 'knave' }),
  })
  .refine(({ names, statements }) => names.length === statements.length, 'expected a statement of each name')
  .refine(({ names }) => new Set(names.map(lower)).size === names.length, 'expected different names');
type Truth = z.infer<typeof truth>;

/**
 * 1 where the final answer assigns a role to every person without contradiction, and all statements are consistent
 * with the roles; any consistent assignment is right.
 */
export const knightsKnaves = defineVerifier<Truth>({
  name: 'knights-knaves',
  version: 1,
  truth: truth as z.ZodType<Truth>,
  grade({ names, statements, roles }, response) {
    const text = finalText(response);
    const knights = text === null ? null : assignmentIn(text, names, roles);
    return { score: knights !== null && isConsistent(statements, knights) ? 1 : 0, extracted: text };
  },
});

function lower(text: string): string {
  return text.trim().toLowerCase();
}

/** Whether each person is a knight; null where a person has no role or both. */
function assignmentIn(text: string, names: readonly string[], roles: Truth['roles']): boolean[] | null {
  const found = new Map<string, boolean>();
  const known = new Set(names.map(lower));
  let waiting: string[] = [];
  for (const word of wordsOf(text, [...names, roles.knight, roles.knave])) {
    if (known.has(word)) waiting.push(word);
    const isKnight = roleOf(word, roles);
    if (isKnight === null) continue;
    for (const name of waiting) {
      if (found.get(name) === !isKnight) return null;
      found.set(name, isKnight);
    }
    waiting = [];
  }
  const knights = names.map((name) => found.get(lower(name)));
  return knights.every((knight) => knight !== undefined) && !negates(text) ? knights : null;
}

/** Whether a word is the knights' role (true) or the knaves' (false), in singular or plural; null for other words. */
function roleOf(word: string, { knight, knave }: Truth['roles']): boolean | null {
  if (word === lower(knight) || word === `${lower(knight)}s`) return true;
  return word === lower(knave) || word === `${lower(knave)}s` ? false : null;
}

/** Whether the text contains a negation or an alternative: "not a knight" does not count as an answer. */
const negates = (text: string) => /\bnot\b|n['’]t\b|\bneither\b|\beither\b|\bor\b/i.test(text);

/** The words in lower case; a term of several words is one word. */
function wordsOf(text: string, terms: readonly string[]): string[] {
  const spaced = lower(text.slice(0, 20_000)).replace(/\s+/g, ' ');
  const known = terms
    .map((term) => lower(term).replace(/\s+/g, ' '))
    .sort((a, b) => b.length - a.length)
    .map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])(?:${known.join('|')})(?![\\p{L}\\p{N}])|[\\p{L}\\p{N}]+`,
    'gu',
  );
  return spaced.match(pattern) ?? [];
}
