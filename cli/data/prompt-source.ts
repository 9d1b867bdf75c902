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
import { importPromptSet, type PromptSet } from '../../stores/data/prompts.ts';
import type { Database, Queryable } from '../../stores/database/database.ts';
import { refuseBroken, textOfBytes } from './text-file.ts';

type SourceOf<Kind extends PromptSource['source']> = Extract<PromptSource, { source: Kind }>;

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** What paths count from, and where imported sets lie. */
export interface PromptSources {
  folder: string;
  database(): Promise<Queryable>;
}

/**
 * The prompts that a recipe names, read and checked whole; nothing is written. Throws Failure 'InvalidInput'
 * naming file and line.
 */
export async function readPromptSource(
  source: PromptSource,
  places: PromptSources,
): Promise<ImportedPrompts> {
  if (source.source === 'imported') return readImported(source, await places.database());
  return source.source === 'jsonl'
    ? readFiles(source, places.folder)
    : generate(source, generatedRows(source));
}

async function readImported({ name }: SourceOf<'imported'>, reader: Queryable): Promise<ImportedPrompts> {
  const { promptSet } = await importedSet(reader, name, 'prompts');
  return { prompts: await readPromptSet(reader, promptSet), duplicates: 0, ignoredFields: [] };
}

/** Writes prompts as a set in their order, or finds the same set already there. */
export async function importPrompts(
  { database }: { database: Database },
  set: { name: string; prompts: readonly ImportedPrompt[] },
): Promise<PromptSet> {
  return importPromptSet(database, set);
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

/** What a generator made, with the number of each row in place of a line. */
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

/** A file of prompts to train on and a file of held-out ones: every row of the latter is held out. */
function joined(train: ImportedPrompts, evaluation: ImportedPrompts): ImportedPrompts {
  const trained = new Map(train.prompts.map((prompt) => [prompt.hash, prompt]));
  const heldOut = evaluation.prompts.map((prompt) => ({ ...prompt, split: 'test' as const }));
  const both = heldOut.find(({ hash }) => trained.has(hash));
  const placed = train.prompts.find(({ split }) => split === 'test');
  if (both !== undefined) {
    refuse(both, `a problem that is not trained on, found that of ${placeOf(trained.get(both.hash))}`);
  }
  if (placed !== undefined) refuse(placed, 'no held-out row beside evaluation_path, found "split": "test"');
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
    `${placeOf(prompt)}: expected ${expected}; nothing was imported: mend the files and import them again`,
  );
}
