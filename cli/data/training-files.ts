/** JSON lines of examples and preferences. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { linesOf } from '../../algorithm/data/prompt-rows.ts';
import { scoredText } from '../../algorithm/data/scored-text.ts';
import type { NewExample } from '../../contracts/datasets.ts';
import { parseExactJson } from '../../contracts/exact-json.ts';
import { Failure } from '../../contracts/failures.ts';
import {
  checkPreferences,
  type NewPreference,
  type Preference,
  splitOfPrompt,
} from '../../stores/data/preferences.ts';
import { reasoningIn, withThinking } from './import/conversations.ts';
import { described, RefusedRow } from './import/layout.ts';
import { splitOfRow } from './import/splits.ts';
import { refuseBroken, textOfBytes } from './text-file.ts';

const exampleRowSchema = z.looseObject({
  problem: z.string().trim().min(1),
  response: z.string().min(1),
  domain: z.string().trim().min(1).default('hand-written'),
});

/**
 * Examples, one JSON object per line; reasoning in another field becomes thinking. Throws Failure 'InvalidInput' naming
 * file, line and field, also for held-out rows.
 */
export function examplesIn(lines: LinesText): NewExample[] {
  return rowsOfLines(lines, exampleRowSchema).map(({ row, line }) => {
    const { problem, response, domain, ...others } = row;
    try {
      if (splitOfRow(others) === 'test')
        throw new RefusedRow('split', 'expected an example to learn from, found one that is held out');
      const thought = withThinking(response, reasoningIn(others));
      return { problem, response: thought, domain, source: lines.name, line };
    } catch (error) {
      if (!(error instanceof RefusedRow)) throw error;
      return refuse(lines.name, line, `${error.field}: ${error.message}`);
    }
  });
}

const split = z.enum(['train', 'test']).optional();

const rowSchemas = {
  pair: z.object({ prompt: z.string().trim().min(1), chosen: z.string(), rejected: z.string(), split }),
  label: z.object({
    prompt: z.string().trim().min(1),
    response: z.string().min(1),
    safe: z.boolean(),
    split,
  }),
};

/**
 * Preference pairs or safety labels, one JSON object per line. Of prompts whose rows name no split, the share `heldOut`
 * is held out. Throws Failure 'InvalidInput' naming file, line and field, or the split that lacks rows.
 */
export function preferencesIn(lines: LinesText, kind: Preference['kind'], heldOut: number): NewPreference[] {
  const rows = rowsOfLines<z.ZodType<z.infer<(typeof rowSchemas)[typeof kind]>>>(lines, rowSchemas[kind]);
  const preferences = rows.map(({ row, line }) => {
    const split = row.split ?? splitOfPrompt(row.prompt, heldOut);
    return { ...row, kind, split, source: lines.name, line } as NewPreference;
  });
  for (const row of preferences) refuseEqualSides(row);
  checkPreferences(preferences);
  return preferences;
}

/** Of a pair only the text after the thinking is scored: sides that differ only before it teach nothing. */
function refuseEqualSides(row: NewPreference): void {
  if (row.kind !== 'pair') return;
  const [chosen, rejected] = [row.chosen, row.rejected].map((side) =>
    scoredText('helpfulness', side, { prefilled: false }),
  );
  if (chosen !== rejected) return;
  const found = row.chosen === row.rejected ? 'equal ones' : 'ones that differ only in their thinking';
  refuse(row.source, row.line, `chosen and rejected: expected two different responses, found ${found}`);
}

/** JSON lines, and the name that messages use: a file, or an imported set. */
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
      { cause },
    );
  });
  return { name: path, text: textOfBytes(bytes, path) };
}

/** Parses non-blank JSON lines by a schema. Throws Failure 'InvalidInput' naming file, line and field of the first invalid row. */
function rowsOfLines<Schema extends z.ZodType>(
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
  const result = schema.safeParse(asJson(content, path, line), {
    error: (issue) => `expected ${expectation(issue)}, found ${described(issue.input)}`,
  });
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

function expectation(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return NAMES[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value)).join(' or ');
  return issue.code === 'too_small' ? 'a non-empty text' : 'another value';
}

function asJson(content: string, path: string, line: number): unknown {
  try {
    return parseExactJson(content);
  } catch (error) {
    return refuse(path, line, `expected a JSON object, found ${(error as Error).message}`);
  }
}

function refuse(path: string, line: number, problem: string): never {
  throw new Failure(
    'InvalidInput',
    `${path} line ${line}: ${problem}; nothing was imported: correct the file`,
  );
}
