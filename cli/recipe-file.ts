import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { type Recipe, recipeSchema } from '../contracts/recipe.ts';
import { PROJECT_ROOT } from '../infra/paths.ts';
import { InputError } from './errors.ts';
import { applyOverrides, type Override, type Placed } from './overrides.ts';
import { type Problem, problemsOf } from './problems.ts';
import type { Path } from './schema-keys.ts';
import { parseYaml } from './yaml-document.ts';

/** A recipe that has been read and checked, and the folder that its paths count from. */
export interface RecipeFile {
  recipe: Recipe;
  /** absolute */
  folder: string;
}

/**
 * Reads a recipe with its overrides. Throws InputError naming every problem with its line.
 * `path` counts from the working directory, or else from the project's root.
 */
export async function readRecipe(path: string, overrides: readonly Override[] = []): Promise<RecipeFile> {
  const { text, absolute } = await readInput(path);
  return { recipe: parseConfiguration(recipeSchema, text, path, overrides), folder: dirname(absolute) };
}

/**
 * Data of a YAML text under a schema, with overrides. Throws InputError with all problems, one a line:
 * `recipes/x.yaml line 12: stages[0].options.learning_rat: unknown key; did you mean learning_rate?`
 */
export function parseConfiguration<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  overrides: readonly Override[] = [],
): z.output<Schema> {
  const yaml = parseYaml(text, file);
  const { data, placed } = applyOverrides(schema, yaml.data, overrides);
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const lines = problemsOf(parsed.error, schema, data).map(
    (problem) =>
      `${placeOf(problem, placed) ?? `${file} line ${yaml.lineOf(problem.path)}`}: ${problem.text}`,
  );
  throw new InputError(
    `${lines.join('\n')}\nNothing was done: mend ${lines.length === 1 ? 'it' : 'them'} and try again.`,
  );
}

/** A problem that an override brought is told as that override's. */
function placeOf(problem: Problem, placed: readonly Placed[]): string | undefined {
  const cause = placed.findLast(({ path }) => isWithin(problem.path, path));
  return cause && `--set ${cause.override.text}`;
}

const isWithin = (path: Path, ancestor: Path) => ancestor.every((key, index) => path[index] === key);

/** Reads a text file given on the command line. Throws InputError where it cannot be read. */
export async function readInput(path: string): Promise<{ text: string; absolute: string }> {
  const candidates = [resolve(path), resolve(PROJECT_ROOT, path)];
  for (const absolute of new Set(candidates)) {
    const text = await readFile(absolute, 'utf8').catch(unlessAbsent(path));
    if (text !== undefined) return { text, absolute };
  }
  throw new InputError(`${path}: expected a file, found none. Check the path.`);
}

const unlessAbsent = (path: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return;
  throw new InputError(`${path}: expected a readable file, found ${error.message}`);
};
