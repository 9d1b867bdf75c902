import { stat } from 'node:fs/promises';
import { gatherRows } from '../activities/import/gather.ts';
import { findDataFiles } from '../activities/import/read-rows.ts';
import { type EvaluationIndex, indexEvaluations } from '../algorithm/decontamination.ts';
import { heldOutOrAll } from '../algorithm/prompt-row.ts';
import { importedSet, readPromptSet } from '../stores/imported-sets.ts';
import type { Connections } from './connections.ts';

/**
 * The texts that must not be learned: problems of files, and of imported sets the held-out ones, or all where
 * none is held out.
 */
export async function indexEvaluationSets(
  names: readonly string[],
  connections: Pick<Connections, 'database'>,
): Promise<EvaluationIndex> {
  const texts = await Promise.all(names.map((name) => problemsOf(name, connections)));
  return indexEvaluations(texts.flat());
}

async function problemsOf(name: string, { database }: Pick<Connections, 'database'>): Promise<string[]> {
  const isFile = await stat(name).then(
    () => true,
    () => false,
  );
  const prompts = isFile
    ? (await gatherRows(await findDataFiles([name]), {})).prompts
    : await readImported(await database(), name);
  return heldOutOrAll(prompts).map(({ problem }) => problem);
}

async function readImported(reader: Awaited<ReturnType<Connections['database']>>, name: string) {
  const { promptSet } = await importedSet(reader, name, 'prompts');
  return readPromptSet(reader, promptSet);
}
