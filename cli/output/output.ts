/** What commands print, and the options that they share. */
import { join } from 'node:path';
import Table from 'cli-table3';
import type { z } from 'zod';
import { documents } from '../../contracts/documents.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';

type Documents = typeof documents;

/**
 * How to call this checkout's command from a folder; printed commands begin with it. npx would fetch another
 * project's package of that name from the registry.
 */
export function commandFrom(folder: string): string {
  const path = folder === PROJECT_ROOT ? './r1' : join(PROJECT_ROOT, 'r1');
  return /^[\w./+@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** How the command is called from the current directory. */
export const R1 = commandFrom(process.cwd());

/** Validates a `--json` document against its schema and prints it. */
export function printDocument<Name extends keyof Documents>(
  name: Name,
  document: z.input<Documents[Name]>,
): void {
  printLine(JSON.stringify(documents[name].parse(document), null, 2));
}

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/**
 * A table without borders: text columns aligned left, numeric ones right; `gap` is the number of blanks between
 * columns.
 */
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

/** Which columns are numeric. */
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
