import { heldOutOrAll } from '../../algorithm/data/prompt-row.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { InputError } from '../errors.ts';
import { type Gathered, gatherRows } from './import/gather.ts';
import { findDataFiles } from './import/read-rows.ts';
import { refusalText } from './import-report.ts';

export interface Benchmark {
  /** its held-out problems, or all where none is held out */
  problems: readonly ImportedPrompt[];
  /** how it was read, for people */
  notes: string[];
}

/**
 * The problems of a file or folder, in any layout that data sets come in; `domain` says how answers are judged where
 * the layout does not. A benchmark is measured whole or not at all: the first row that cannot be read refuses it, with
 * its file, line and field (InputError, or Failure 'InvalidInput').
 */
export async function readBenchmark(path: string, domain?: string): Promise<Benchmark> {
  const gathered = await gatherRows(await findDataFiles([path]), { domain });
  refuseUnread(path, gathered);
  const problems = heldOutOrAll(gathered.prompts);
  return { problems, notes: notesOn(gathered, problems) };
}

function refuseUnread(path: string, { kind, refused: [first] }: Gathered): void {
  if (kind !== 'prompts')
    throw new InputError(`${path}: expected problems with answers to measure with, found ${kind}`);
  if (first !== undefined) throw new InputError(`${refusalText(first)}. Mend the row, or leave it out.`);
}

function notesOn({ files, duplicates }: Gathered, problems: readonly ImportedPrompt[]): string[] {
  const domains = [...new Set(problems.map(({ domain }) => domain))].sort().join(', ');
  return [
    ...files.map(({ path, layout, rows }) => `${path}: ${rows} rows, read as ${layout}`),
    ...(duplicates > 0 ? [`rows that repeat an earlier one, left out: ${duplicates}`] : []),
    `${problems.length} problems, judged as ${domains}`,
  ];
}
