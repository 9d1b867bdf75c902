import { stat } from 'node:fs/promises';
import { type EvaluationIndex, indexEvaluations } from '../../algorithm/data/decontamination.ts';
import { heldOutOrAll } from '../../algorithm/data/prompt-row.ts';
import { importedSet, readPromptSet } from '../../stores/data/imported-sets.ts';
import { InputError } from '../errors.ts';
import type { Connections } from '../stack/connections.ts';
import { gatherRows } from './import/gather.ts';
import { findDataFiles, readRows } from './import/read-rows.ts';

/** Whether a name is that of a file or folder, and not of an imported set. */
export const isPath = (name: string) =>
  stat(name).then(
    () => true,
    () => false,
  );

/**
 * The texts that must not be learned: problems of files, and of imported sets the held-out ones, or all where
 * none is held out. Asks the database for imported sets alone.
 */
export async function indexEvaluationSets(
  names: readonly string[],
  connections: Pick<Connections, 'database'>,
): Promise<EvaluationIndex> {
  const texts = await Promise.all(names.map((name) => problemsOf(name, connections)));
  return indexEvaluations(texts.flat());
}

async function problemsOf(name: string, { database }: Pick<Connections, 'database'>): Promise<string[]> {
  if (await isPath(name)) return problemsOfFiles(name);
  return heldOutOrAll(await readImported(await database(), name)).map(({ problem }) => problem);
}

/** Fields that hold a problem, whatever the layout. */
const PROBLEMS = ['problem', 'question', 'Question', 'prompt', 'problem_statement', 'description'];

/** A row that could not be measured with, for want of an answer, says what must not be learned all the same. */
async function problemsOfFiles(name: string): Promise<string[]> {
  const files = await findDataFiles([name]);
  const { prompts, rows, refused } = await gatherRows(files, {});
  const kept = heldOutOrAll(prompts).map(({ problem }) => problem);
  const others = rows.map((row) => ('problem' in row ? row.problem : row.prompt));
  const places = new Set(refused.map(({ source, line }) => `${source} ${line}`));
  const unread: string[] = [];
  for (const { path } of places.size > 0 ? files : []) {
    for await (const { source, line, value } of readRows(path)) {
      if (!places.has(`${source} ${line}`)) continue;
      const problem = PROBLEMS.map((field) => value[field]).find((text) => typeof text === 'string');
      if (typeof problem === 'string') unread.push(problem);
    }
  }
  const problems = [...kept, ...others, ...unread].filter((text) => text.trim() !== '');
  if (problems.length > 0) return problems;
  throw new InputError(`--decontaminate-against ${name}: expected problems, found none`);
}

async function readImported(reader: Awaited<ReturnType<Connections['database']>>, name: string) {
  const { promptSet } = await importedSet(reader, name, 'prompts');
  return readPromptSet(reader, promptSet);
}
