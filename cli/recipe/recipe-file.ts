/** Reads recipes and other YAML configurations. */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { foundOf } from '../../contracts/file-errors.ts';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { InputError } from '../errors.ts';
import { applyOverrides, type Override, type Placed } from './overrides.ts';
import { grouped, linesText, problemsOf } from './problems.ts';
import type { Path } from './schema-keys.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

/** A recipe that was read and validated, and the folder that its paths are relative to. */
export interface RecipeFile {
  recipe: Recipe;
  /** absolute */
  folder: string;
  /** left out where the recipe was not read from a file */
  at?: PlaceOf;
}

/** The beginning of an error about a key: `recipes/x.yaml line 12: ` or `--set k=4: `. */
export type PlaceOf = (path: Path) => string;

/**
 * Reads a recipe with overrides. Throws InputError that names every problem with its line. `path` is relative to the
 * working directory, or else to the project's root.
 */
export async function readRecipe(path: string, overrides: readonly Override[] = []): Promise<RecipeFile> {
  const { text, absolute } = await readInput(path);
  const { data, at } = parseText(recipeSchema, text, path, overrides);
  return { recipe: data, folder: dirname(absolute), at };
}

/**
 * Parses a YAML text by a schema, with overrides. Throws InputError with all problems, one per line:
 * `recipes/x.yaml line 12: stages[0].options.learning_rat: unknown key; did you mean learning_rate?`
 */
export function parseConfiguration<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  overrides: readonly Override[] = [],
): z.output<Schema> {
  return parseText(schema, text, file, overrides).data;
}

function parseText<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  overrides: readonly Override[],
): { data: z.output<Schema>; at: PlaceOf } {
  const yaml = parseYaml(text, file);
  const { data, placed } = applyOverrides(schema, yaml.data, overrides);
  const parsed = schema.safeParse(data);
  const at: PlaceOf = (path) => {
    const { line, where } = placeOf(path, placed, yaml);
    return `${where ?? `${file} line ${line}`}: `;
  };
  if (parsed.success) return { data: parsed.data, at };
  const problems = grouped(
    problemsOf(parsed.error, schema, data).map((problem) => ({
      ...placeOf(problem.path, placed, yaml),
      what: problem.text,
      same: problem.same,
    })),
  );
  throw new InputError(
    `${linesText(file, problems)}\nNothing was done: correct ${problems.length === 1 ? 'it' : 'them'} and try again.`,
  );
}

/** The line of a problem, or the override that caused it. */
function placeOf(
  path: Path,
  placed: readonly Placed[],
  yaml: YamlDocument,
): { line: number | null; where?: string } {
  const cause = placed.findLast((place) => isWithin(path, place.path));
  return cause === undefined
    ? { line: yaml.lineOf(path) }
    : { line: null, where: `--set ${cause.override.text}` };
}

const isWithin = (path: Path, ancestor: Path) => ancestor.every((key, index) => path[index] === key);

/** Largest size of a recipe; the shipped ones have a few thousand bytes. */
const MOST_BYTES = 1_048_576;

/** Reads a text file. Throws InputError where it cannot be read. */
export async function readInput(path: string): Promise<{ text: string; absolute: string }> {
  const candidates = [resolve(path), resolve(PROJECT_ROOT, path)];
  for (const absolute of new Set(candidates)) {
    const bytes = await readSmallFile(absolute).catch(unlessAbsent(path));
    if (bytes !== undefined) return { text: textOf(bytes, path), absolute };
  }
  throw new InputError(`${path}: expected a file, found none. Check the path.`);
}

/** Reads no more than the limit, as a device or pipe may be endless. */
async function readSmallFile(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(MOST_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read) {
      ({ bytesRead: read } = await handle.read(buffer, length, buffer.length - length));
    }
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}

function textOf(bytes: Buffer, path: string): string {
  if (bytes.length > MOST_BYTES)
    throw new InputError(
      `${path}: expected a text of at most ${MOST_BYTES} bytes, found a larger file. Check the path.`,
    );
  if (!isUtf8(bytes) || bytes.includes(0)) {
    const found = bytes.includes(0) ? 'bytes of a binary file, or of UTF-16' : 'bytes that are not UTF-8';
    throw new InputError(
      `${path} line ${lineOfOddByte(bytes)}: expected text in UTF-8, found ${found}. Save it as UTF-8, or check the path.`,
    );
  }
  return bytes.toString('utf8');
}

/** The first line that is not UTF-8 text. */
function lineOfOddByte(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const content = bytes.subarray(start, end);
    if (!isUtf8(content) || content.includes(0)) return line;
    start = end + 1;
  }
  return line;
}

const unlessAbsent = (path: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return;
  throw new InputError(`${path}: expected a readable file, found ${foundOf(error)}. Check the path.`);
};
