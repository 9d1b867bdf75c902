import { join } from 'node:path';
import Table from 'cli-table3';
import type { z } from 'zod';
import { documents } from '../../contracts/documents.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';

type Documents = typeof documents;

/**
 * How this checkout's command is called from a folder. Commands that are printed to be run begin with it: a bare
 * name in `npx` would be asked of the registry, where it belongs to somebody else.
 */
export function commandFrom(folder: string): string {
  const path = folder === PROJECT_ROOT ? './r1' : join(PROJECT_ROOT, 'r1');
  return /^[\w./+@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** From where the caller is. */
export const R1 = commandFrom(process.cwd());

/** Prints a `--json` document, held to its schema first, so that no reader meets another shape. */
export function printDocument<Name extends keyof Documents>(
  name: Name,
  document: z.input<Documents[Name]>,
): void {
  printLine(JSON.stringify(documents[name].parse(document), null, 2));
}

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A plain table: aligned columns under their heads, numbers to the right; `gap`: blanks between columns. */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { gap = 3 }: { gap?: number } = {},
): string {
  const numeric = figureColumns(head, rows);
  const table = new Table({
    head: [...head],
    colAligns: numeric.map((isNumeric) => (isNumeric ? 'right' : 'left')),
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
  });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** Which columns hold nothing but figures: these are set to the right. */
export function figureColumns(head: readonly string[], rows: readonly (readonly string[])[]): boolean[] {
  return head.map((_, column) => rows.every((row) => isFigure(row[column] ?? '')));
}

const isFigure = (cell: string) => cell === '' || /^[–\-+\d]/.test(cell);

const borderless = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => [
    [side, ''],
    [`${side}-mid`, ''],
    [`${side}-left`, ''],
    [`${side}-right`, ''],
  ]),
);
borderless['mid-mid'] = '';
borderless.middle = '';

/** The argument of commands about one run. */
export const RUN = ['[run]', 'name of the run (default: the latest run)'] as const;

/** The option of commands that can print a document. */
export const jsonOption = (name: keyof Documents) =>
  ['--json', `print a JSON document (contracts/schemas/${name}.json)`] as const;

/** Prints a command's result: its document with `--json`, else its text. */
export function printResult<Name extends keyof Documents, Document extends z.input<Documents[Name]>>(
  json: boolean | undefined,
  name: Name,
  document: Document,
  text: (document: Document) => string,
): void {
  if (json) printDocument(name, document);
  else printLine(text(document));
}

/** The examples at the end of a command's help. */
export function examples(...lines: string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}
