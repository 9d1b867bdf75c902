/** Which rows are held out: by themselves, by what was asked for, by the names of files and folders. */
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { z } from 'zod';
import type { PromptRow } from '../../algorithm/prompt-row.ts';
import { SPLIT_NAMES, splitNamed, splitOfAncestor, splitOfName } from '../../algorithm/split-names.ts';
import { described, jsonOr, RefusedRow, type Row } from './layout.ts';
import type { DataFile } from './read-rows.ts';

export type Split = PromptRow['split'];

/** Columns whose objects say the split too, as verl's do. */
const OBJECTS = ['extra_info', 'metadata', 'meta'];
const OWN = /^(?:data_?(?:set_?)?)?split(?:_?name)?$/i;

/** The split that a row names; null where it names none. Throws RefusedRow of a name that is none of a split. */
export function splitOfRow(row: Row): Split | null {
  for (const field of Object.keys(row)) {
    if (!OWN.test(field)) continue;
    const split = splitOfValue(row[field], field);
    if (split !== null) return split;
  }
  for (const field of OBJECTS) {
    const held = jsonOr(z.record(z.string(), z.unknown())).safeParse(row[field]);
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

/** Folders above a file that was given by its whole path: its own may name a split, and the one above. */
const ANCESTORS = 2;

/** The split that a file's name says, or the nearest folder's; null where none says one. */
export function splitOfFile({ path, folder }: DataFile): Split | null {
  const file = splitOfName(basename(path));
  if (file !== null) return file;
  if (folder === null && !isAbsolute(path)) return nearest(dirname(normalize(path)).split(sep), splitOfName);
  const top = folder ?? dirname(path);
  const inside = folder === null ? null : nearest(dirname(relative(folder, path)).split(sep), splitOfName);
  return inside ?? nearest(ancestorsOf(top), splitOfAncestor);
}

/** The last folders of a path, but for a person's own: `/home/dev` is no split. */
function ancestorsOf(folder: string): string[] {
  if (!isAbsolute(folder)) return normalize(folder).split(sep).slice(-ANCESTORS);
  const found: string[] = [];
  for (let place = join(folder); found.length < ANCESTORS && place !== homedir(); place = dirname(place)) {
    if (dirname(place) === place) break;
    found.unshift(basename(place));
  }
  return found;
}

function nearest(folders: readonly string[], splitOf: (name: string) => Split | null): Split | null {
  return folders.reduce<Split | null>((above, name) => splitOf(name) ?? above, null);
}
