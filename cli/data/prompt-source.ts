/** Reads the prompts that a recipe names. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { normalizeProblem, type PromptRow } from '../../algorithm/data/prompt-row.ts';
import {
  type ImportedPrompt,
  type ImportedPrompts,
  linesOf,
  readPromptRows,
} from '../../algorithm/data/prompt-rows.ts';
import { nanoGeneralRows } from '../../algorithm/nano/general.ts';
import { nanoPromptRows } from '../../algorithm/nano/task.ts';
import { generatePuzzles } from '../../algorithm/puzzles/generate.ts';
import { puzzleGenerators } from '../../algorithm/puzzles/index.ts';
import { Failure } from '../../contracts/failures.ts';
import type { PromptSource } from '../../contracts/recipe.ts';
import { importedSet, readPromptSet } from '../../stores/data/imported-sets.ts';
import type { Queryable } from '../../stores/database/database.ts';
import { refuseBroken, textOfBytes } from './text-file.ts';

type SourceOf<Kind extends PromptSource['source']> = Extract<PromptSource, { source: Kind }>;

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** The folder that paths are relative to, and the database with imported sets. */
interface PromptSources {
  folder: string;
  database(): Promise<Queryable>;
}

/** Reads and validates the prompts that a recipe names. Throws Failure 'InvalidInput' naming file and line. */
export async function readPromptSource(
  source: PromptSource,
  { folder, database }: PromptSources,
): Promise<ImportedPrompts> {
  if (source.source === 'imported') return readImported(source, await database());
  return source.source === 'jsonl' ? readFiles(source, folder) : generate(source, generatedRows(source));
}

async function readImported({ name }: SourceOf<'imported'>, reader: Queryable): Promise<ImportedPrompts> {
  const { promptSet } = await importedSet(reader, name, 'prompts');
  return { prompts: await readPromptSet(reader, promptSet), duplicates: 0, ignoredFields: [] };
}

/** Reads one JSONL file of prompts. Throws Failure 'InvalidInput'. */
async function readPromptFile(path: string, folder = '.'): Promise<ImportedPrompts> {
  const bytes = await readFile(resolve(folder, path)).catch((cause) => {
    throw new Failure(
      'InvalidInput',
      `${path}: expected a JSONL file of prompts, found none that can be read (${cause.code}). Check the path.`,
      { cause },
    );
  });
  const text = textOfBytes(bytes, path);
  const imported = readPromptRows(linesOf(text), { source: path, hashOf });
  for (const { problem, answer, domain, entry, source, line } of imported.prompts)
    refuseBroken({ problem, answer, domain, entry }, source, line);
  return imported;
}

type GeneratedSource = Exclude<PromptSource, SourceOf<'jsonl' | 'imported'>>;

function generatedRows(source: GeneratedSource): PromptRow[] {
  if (source.source === 'nano-sums') return nanoPromptRows(source);
  if (source.source === 'nano-general') return nanoGeneralRows(source);
  return generatePuzzles(puzzleGenerators[source.puzzle], source);
}

/** Generated rows; a row's number takes the place of its line. */
function generate({ source, ...dataSet }: GeneratedSource, rows: readonly PromptRow[]): ImportedPrompts {
  const prompts = rows.map((row, index) => ({
    ...row,
    hash: hashOf(normalizeProblem(row.problem)),
    source: `${source} ${JSON.stringify(dataSet)}`,
    line: index + 1,
  }));
  return { prompts, duplicates: 0, ignoredFields: [] };
}

async function readFiles(source: SourceOf<'jsonl'>, folder: string): Promise<ImportedPrompts> {
  const train = await readPromptFile(source.path, folder);
  if (source.evaluation_path === undefined) return train;
  const evaluation = await readPromptFile(source.evaluation_path, folder);
  return joined(train, evaluation);
}

/** Joins a file of training prompts and a file whose rows are all held out. */
function joined(train: ImportedPrompts, evaluation: ImportedPrompts): ImportedPrompts {
  const trained = new Map(train.prompts.map((prompt) => [prompt.hash, prompt]));
  const heldOut = evaluation.prompts.map((prompt) => ({ ...prompt, split: 'test' as const }));
  const both = heldOut.find(({ hash }) => trained.has(hash));
  const placed = train.prompts.find(({ split }) => split === 'test');
  if (both !== undefined) {
    refuse(both, `a problem that is not trained on, found that of ${placeOf(trained.get(both.hash))}`);
  }
  if (placed !== undefined)
    refuse(placed, 'no held-out row in path when evaluation_path is given, found "split": "test"');
  return {
    prompts: [...train.prompts, ...heldOut],
    duplicates: train.duplicates + evaluation.duplicates,
    ignoredFields: [...new Set([...train.ignoredFields, ...evaluation.ignoredFields])].sort(),
  };
}

const placeOf = (prompt: ImportedPrompt | undefined) => `${prompt?.source} line ${prompt?.line}`;

function refuse(prompt: ImportedPrompt, expected: string): never {
  throw new Failure(
    'InvalidInput',
    `${placeOf(prompt)}: expected ${expected}; nothing was imported: correct the files and import them again`,
  );
}
