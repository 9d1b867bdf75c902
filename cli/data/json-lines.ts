import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { linesOf } from '../../algorithm/data/prompt-rows.ts';
import { parseExactJson, stringifyExactJson } from '../../contracts/exact-json.ts';
import { Failure } from '../../contracts/failures.ts';
import { refuseBroken, textOfBytes } from './text-file.ts';

/** JSON lines, and what messages call them: their file, or the name they were imported under. */
export interface LinesText {
  name: string;
  text: string;
}

/** Throws Failure 'InvalidInput' where the file cannot be read. */
export async function readLinesText(path: string): Promise<LinesText> {
  const bytes = await readFile(path).catch((cause) => {
    throw new Failure(
      'InvalidInput',
      `${path}: expected a JSONL file, found ${cause.code}. Check the path.`,
      {
        cause,
      },
    );
  });
  return { name: path, text: textOfBytes(bytes, path) };
}

/**
 * Rows of JSON lines under a schema, with their lines; blank lines are passed over. The text is refused whole:
 * throws Failure 'InvalidInput' naming it, line and field.
 */
export function rowsOfLines<Schema extends z.ZodType>(
  { name: path, text }: LinesText,
  schema: Schema,
): { row: z.output<Schema>; line: number }[] {
  const rows = [];
  let line = 0;
  for (const content of linesOf(text)) {
    line += 1;
    if (content.trim() !== '') rows.push({ row: parsed(content, schema, path, line), line });
  }
  if (rows.length === 0) refuse(path, 1, 'expected at least one row, found none');
  return rows;
}

function parsed<Schema extends z.ZodType>(
  content: string,
  schema: Schema,
  path: string,
  line: number,
): z.output<Schema> {
  const result = schema.safeParse(asJson(content, path, line), { error: expectedAndFound });
  if (result.success) {
    refuseBroken(Object(result.data), path, line);
    return result.data;
  }
  const issue = result.error.issues[0];
  return refuse(path, line, [...(issue?.path ?? []).map(String), issue?.message].join(': '));
}

const NAMES: Record<string, string> = {
  object: 'a JSON object',
  string: 'a text',
  boolean: 'true or false',
};

/** In place of zod's own words. */
function expectedAndFound(issue: z.core.$ZodRawIssue): string {
  return `expected ${expectationOf(issue)}, found ${described(issue.input)}`;
}

function expectationOf(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return NAMES[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value)).join(' or ');
  return issue.code === 'too_small' ? 'a non-empty text' : 'another value';
}

function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = stringifyExactJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function asJson(content: string, path: string, line: number): unknown {
  try {
    return parseExactJson(content);
  } catch (error) {
    return refuse(path, line, `expected a JSON object, found ${(error as Error).message}`);
  }
}

function refuse(path: string, line: number, problem: string): never {
  throw new Failure('InvalidInput', `${path} line ${line}: ${problem}; nothing was imported: mend the file`);
}
