/** Data files as people have them, and what an import makes of them, in one line of text. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { type Gathered, type GatherOptions, gatherRows } from '../../../../../cli/data/import/gather.ts';
import { findDataFiles } from '../../../../../cli/data/import/read-rows.ts';
import { indexEvaluationSets, refuseUnverifiable } from '../../../../../cli/data/import.ts';
import { stringifyExactJson } from '../../../../../contracts/exact-json.ts';
import { tools } from '../../../../rewards/support.ts';

/** Rows of JSON lines (texts as they stand), or a file's bytes. */
export type Content = readonly (object | string)[] | Uint8Array;

/** One shape of input. */
export interface Shape {
  name: string;
  /** contents by path; the folder that holds them is imported */
  files: Record<string, Content>;
  /** paths given in place of the folder */
  paths?: string[];
  options?: Omit<GatherOptions, 'evaluations'>;
  /** files of `files` that must not be learned from, and are not imported */
  against?: string[];
  /** kept rows are counted in place of shown */
  counted?: boolean;
  /** what the import says, see `verdictOf` */
  expected: string;
  /** what the release said before the kind was fixed; left out: the same */
  before?: string;
}

/**
 * `train PROBLEM = ANSWER; …; refused LINE FIELD; contaminated LINE, LINE`. A domain other than math stands in brackets;
 * a file's name stands before the line where there are several.
 */
export async function verdictOf({
  files,
  paths,
  options = {},
  against = [],
  counted = false,
}: Shape): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-shape-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, dirname(name)), { recursive: true });
      await writeFile(join(folder, name), content instanceof Uint8Array ? content : linesOf(content));
    }
    const own =
      paths ?? (against.length > 0 ? Object.keys(files).filter((name) => !against.includes(name)) : ['']);
    const found = await findDataFiles(own.map((name) => join(folder, name)));
    const evaluations =
      against.length === 0
        ? undefined
        : await indexEvaluationSets(
            against.map((name) => join(folder, name)),
            { database: () => assert.fail('no database is needed') },
          );
    const gathered = await gatherRows(found, { ...options, evaluations });
    const { verifiable, refused } = await refuseUnverifiable(gathered.prompts, tools);
    const all = { ...gathered, prompts: verifiable, refused: [...gathered.refused, ...refused] };
    return textOf(all, { folder, several: Object.keys(files).length > 1 + against.length, counted });
  } catch (error) {
    return `error: ${(error as Error).message.split('\n')[0]?.replaceAll(`${folder}/`, '')}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const linesOf = (rows: readonly (object | string)[]) =>
  rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');

function textOf(
  { kind, prompts, rows, refused, contaminated }: Gathered,
  { folder, several, counted }: { folder: string; several: boolean; counted: boolean },
): string {
  const place = (source: string, line: number) =>
    several ? `${source.slice(folder.length + 1)}:${line}` : String(line);
  const kept =
    kind === 'prompts'
      ? prompts.map(({ split, problem, answer, domain, entry }) => {
          const tests = entry === undefined || domain === 'science' ? '' : ` ${stringifyExactJson(entry)}`;
          return `${split} ${problem} = ${answer}${domain === 'math' ? '' : ` [${domain}]`}${tests}`;
        })
      : rows.map((row) => Object.values(row).join(' > '));
  return [
    ...(counted ? [`kept ${kept.length}`] : kept),
    ...refused.map(({ source, line, field }) => `refused ${place(source, line)} ${field}`.trim()),
    ...(contaminated.length === 0 ? [] : [`contaminated ${numbersOf(contaminated)}`]),
  ].join('; ');
}

const SHOWN = 10;

const numbersOf = (rows: Gathered['contaminated']) =>
  rows.length > SHOWN ? `${rows.length} rows` : rows.map(({ line }) => line).join(', ');

/** The bytes of a Parquet file of these columns. */
export const parquet = (...columnData: ColumnSource[]) => new Uint8Array(parquetWriteBuffer({ columnData }));
