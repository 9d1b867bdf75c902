/** Which rows are held out: by themselves, by what was asked for, by the names of files and folders. */
import { homedir } from 'node:os';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { PromptRow } from '../../../algorithm/data/prompt-row.ts';
import { SPLIT_NAMES, splitAtEnd, splitNamed, splitOfName } from '../../../algorithm/data/split-names.ts';
import { described, has, jsonOr, RefusedRow, type Row } from './layout.ts';
import type { DataFile } from './read-rows.ts';

export type Split = PromptRow['split'];

/** Columns whose objects say the split too, as verl's do. */
const OBJECTS = ['extra_info', 'metadata', 'meta'];
const heldObject = jsonOr(z.record(z.string(), z.unknown()));
const OWN = /^(?:data_?(?:set_?)?)?split(?:_?name)?$/i;

/** The split that a row names; null where it names none. Throws RefusedRow of a name that is none of a split. */
export function splitOfRow(row: Row): Split | null {
  for (const field of Object.keys(row)) {
    if (!OWN.test(field)) continue;
    const split = splitOfValue(row[field], field);
    if (split !== null) return split;
  }
  for (const field of OBJECTS) {
    if (!has(row, field)) continue;
    const held = heldObject.safeParse(row[field]);
    const value = held.success ? held.data.split : undefined;
    const split = typeof value === 'string' ? splitOfValue(value, `${field}.split`) : null;
    if (split !== null) return split;
  }
  return null;
}

function splitOfValue(value: unknown, field: string): Split | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' && value.trim() === '') return null;
  const split = typeof value === 'string' ? splitNamed(value) : null;
  if (split !== null) return split;
  throw new RefusedRow(
    field,
    `expected one of ${SPLIT_NAMES}; found ${described(value)}. Name one of them, or leave it out`,
  );
}

/**
 * The split that a file's name says, else the nearest folder's below the one that was asked for, or that one's own;
 * of a file that was asked for by itself, its folder's. Null where none says one.
 */
export function splitOfFile({ path, folder }: DataFile): Split | null {
  const top = folder ?? dirname(path);
  const inside = [basename(path), ...relative(top, dirname(path)).split(sep).reverse()].map(splitOfName);
  // a person's own folder says nothing: /home/dev
  const own = resolve(top) === homedir() ? null : splitAtEnd(basename(top));
  return inside.find((split) => split !== null) ?? own;
}
