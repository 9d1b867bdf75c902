/**
 * Reads a data set of prompts (JSONL: `problem`, `answer`, `domain`, optional `split` and `entry`). The whole file is
 * checked before any of it is used; the first error rejects it, with line and field.
 */
import { z } from 'zod';
import { parseExactJson, stringifyExactJson } from '../../contracts/exact-json.ts';
import { Failure } from '../../contracts/failures.ts';
import { normalizeProblem, numberText, type PromptRow } from './prompt-row.ts';
import { splitNamed } from './split-names.ts';

/** A prompt and its origin. */
export interface ImportedPrompt extends PromptRow {
  /** Of the normalised problem. */
  hash: string;
  /** The file, and the line in it, from 1. */
  source: string;
  line: number;
}

export interface ImportedPrompts {
  /** Ordered by line; the first of several equal ones. */
  prompts: ImportedPrompt[];
  /** Rows left out because an earlier line has the same problem, answer and split. */
  duplicates: number;
  /** Fields of the file that are not read, sorted. */
  ignoredFields: string[];
}

export interface ReadOptions {
  /** The file's name, for messages and provenance. */
  source: string;
  /** SHA-256 in hex, of UTF-8 text. */
  hashOf: (text: string) => string;
}

const filledText = z
  .string({ error: (issue) => expected('a non-empty string', issue.input) })
  .refine((text) => text.trim() !== '', { error: (issue) => expected('a non-empty string', issue.input) });

const rowSchema = z.object(
  {
    problem: filledText,
    answer: z.preprocess((value) => numberText(value) ?? value, filledText),
    domain: filledText,
    entry: z
      .record(z.string(), z.unknown(), { error: (issue) => expected('an object', issue.input) })
      .optional(),
    split: z.preprocess(
      (value) => (typeof value === 'string' ? (splitNamed(value) ?? value) : value),
      z
        .enum(['train', 'test'], { error: (issue) => expected('"train" or "test"', issue.input) })
        .default('train'),
    ),
  },
  { error: (issue) => expected('a JSON object', issue.input) },
);

/**
 * The prompts of a JSONL file's lines. Blank lines are skipped. Throws a Failure of kind InvalidInput for a line
 * that is not a JSON object, a field that is missing or of the wrong type, a problem with another answer or split
 * than on an earlier line, and a file without rows.
 */
export function readPromptRows(lines: Iterable<string>, { source, hashOf }: ReadOptions): ImportedPrompts {
  const byHash = new Map<string, ImportedPrompt>();
  const ignored = new Set<string>();
  let duplicates = 0;
  let line = 0;
  for (const text of lines) {
    line++;
    if (text.trim() === '') continue;
    const row = parseRow(text, `${source} line ${line}`, ignored);
    const hash = hashOf(normalizeProblem(row.problem));
    const earlier = byHash.get(hash);
    if (earlier) refuseConflict(earlier, row, `${source} line ${line}`);
    if (earlier) duplicates++;
    else byHash.set(hash, { ...row, hash, source, line });
  }
  if (byHash.size === 0) refuse(`${source}: expected at least one row, found none`);
  return { prompts: [...byHash.values()], duplicates, ignoredFields: [...ignored].sort() };
}

/** A text's lines, without their ends (`\n` or `\r\n`) and without a byte order mark. */
export function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/);
}

function parseRow(text: string, where: string, ignored: Set<string>): PromptRow {
  const value = parseJson(text, where);
  const result = rowSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return refuse([where, ...(issue?.path ?? []).map(String), issue?.message].join(': '));
  }
  for (const field of Object.keys(Object(value))) if (!(field in rowSchema.shape)) ignored.add(field);
  return result.data;
}

function parseJson(text: string, where: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return refuse(`${where}: ${expected('a JSON object', text)}, which is not JSON`);
  }
}

function refuseConflict(earlier: ImportedPrompt, row: PromptRow, where: string): void {
  for (const field of ['answer', 'split'] as const) {
    if (earlier[field].trim() === row[field].trim()) continue;
    const before = `${JSON.stringify(earlier[field])} as on line ${earlier.line} for the same problem`;
    refuse(`${where}: ${field}: expected ${before}, found ${JSON.stringify(row[field])}`);
  }
}

function refuse(message: string): never {
  throw new Failure('InvalidInput', `${message}; nothing was imported: fix the file and import it again`);
}

function expected(what: string, found: unknown): string {
  return `expected ${what}, found ${describe(found)}`;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = stringifyExactJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
