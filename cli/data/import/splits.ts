/** Which rows are held out: by a column, by the options, by the names of files and folders. */
import { homedir } from 'node:os';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { PromptRow } from '../../../algorithm/data/prompt-row.ts';
import { SPLIT_NAMES, splitAtEnd, splitNamed, splitOfName } from '../../../algorithm/data/split-names.ts';
import { described, has, jsonOr, RefusedRow, type Row } from './layout.ts';
import type { DataFile } from './read-rows.ts';

export type Split = PromptRow['split'];

/** Object columns that may hold the split, as in verl's rows. */
const OBJECTS = ['extra_info', 'metadata', 'meta'];
const heldObject = jsonOr(z.record(z.string(), z.unknown()));
const OWN = /^(?:data_?(?:set_?)?)?split(?:_?name)?$/i;

/** The split that a row names; null where it names none. Throws RefusedRow for an unknown name. */
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
 * The split by the name of a file, else of its nearest folder up to the given one. A file given by itself: by its name
 * or its folder's. Null where none names a split.
 */
export function splitOfFile({ path, folder }: DataFile): Split | null {
  const top = folder ?? dirname(path);
  const inside = [basename(path), ...relative(top, dirname(path)).split(sep).reverse()].map(splitOfName);
  // the name of a home directory says nothing: /home/dev
  const own = resolve(top) === homedir() ? null : splitAtEnd(basename(top));
  return inside.find((split) => split !== null) ?? own;
}
