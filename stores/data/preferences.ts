import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { Database, Queryable } from '../database/database.ts';
import { insertRow, insertRows, readRow, readRows } from '../database/rows.ts';

/** Two responses to a prompt, of which `chosen` is the better one; or one response, and whether it is safe. */
export type Preference =
  | { kind: 'pair'; prompt: string; chosen: string; rejected: string }
  | { kind: 'label'; prompt: string; response: string; safe: boolean };

export type PreferenceSplit = 'train' | 'test';

/** A preference with its split, and the file (or generator) and line that it comes from. */
export type NewPreference = Preference & { split: PreferenceSplit; source: string; line: number };

export interface NewPreferenceSet {
  /** for display only */
  name: string;
  /** all of one kind, in the order in which training goes through them */
  rows: readonly NewPreference[];
}

export interface PreferenceSet {
  /** of the rows in their order: equal data give an equal set */
  digest: string;
  kind: Preference['kind'];
  train: number;
  test: number;
}

type Placed = NewPreference & { ordinal: number };

/**
 * Writes preferences as a whole, or nothing of them. Importing them again gives the same set.
 * @throws Failure 'InvalidInput' naming file and line of a row that cannot be used: a pair of equal responses, an empty
 * prompt or response, a row of the other kind, a prompt in both splits; or where a split has no row, or labels of one
 * kind only.
 */
export async function importPreferences(
  database: Database,
  { name, rows }: NewPreferenceSet,
): Promise<PreferenceSet> {
  checkPreferences(rows);
  const placed = withPositions(rows);
  const count = (split: PreferenceSplit) => placed.filter((row) => row.split === split).length;
  const set = {
    digest: digestOf(placed),
    kind: placed[0]?.kind ?? 'pair',
    train: count('train'),
    test: count('test'),
  };
  await database.transaction(async (tx) => {
    const created = await insertRow(
      tx,
      'preference_sets',
      { digest: set.digest, name, kind: set.kind },
      { onConflict: 'nothing', returning: 'digest' },
    );
    if (created.length > 0)
      await insertRows(tx, 'preference_rows', { preference_set: set.digest }, placed.map(toRow));
  });
  return set;
}

/** What the digest covers of a row: what is learned from it, not where it comes from. */
const contentOf = (row: Preference) =>
  row.kind === 'pair' ? [row.prompt, row.chosen, row.rejected] : [row.prompt, row.response, row.safe];

function digestOf(rows: readonly Placed[]): string {
  const hash = createHash('sha256');
  for (const row of rows)
    hash.update(`${JSON.stringify([row.split, row.ordinal, row.kind, ...contentOf(row)])}\n`);
  return hash.digest('hex');
}

/** Throws as `importPreferences` does; nothing is written. */
export function checkPreferences(rows: readonly NewPreference[]): void {
  const splits = new Map<string, NewPreference>();
  for (const row of rows) {
    refuseRow(row, rows[0]?.kind);
    refuseOtherSplit(row, splits.get(row.prompt));
    splits.set(row.prompt, row);
  }
  for (const split of ['train', 'test'] as const) refuseLacking(split, rows);
}

function withPositions(rows: readonly NewPreference[]): Placed[] {
  const counts: Record<PreferenceSplit, number> = { train: 0, test: 0 };
  return rows.map((row) => ({ ...row, ordinal: counts[row.split]++ }));
}

/** A reward model is trained on one split and measured on the other; both need labels of both kinds. */
function refuseLacking(split: PreferenceSplit, rows: readonly NewPreference[]): void {
  const own = rows.filter((row) => row.split === split);
  const safe = own.filter((row) => row.kind === 'label' && row.safe).length;
  const found =
    own.length === 0
      ? 'none'
      : own[0]?.kind === 'label' && (safe === 0 || safe === own.length)
        ? `only ${safe === 0 ? 'unsafe' : 'safe'} ones`
        : null;
  if (found === null) return;
  const expected = rows[0]?.kind === 'label' ? 'safe and unsafe responses' : 'rows';
  throw new Failure(
    'InvalidInput',
    `${rows[0]?.source ?? 'preferences'}: expected ${expected} of the split ${split}, found ${found} in ${rows.length} rows; ` +
      `nothing was imported: add some with "split": "${split}", or choose another share of held-out rows (held_out)`,
  );
}

/** Why a text cannot be used in a preference; undefined where it can. */
const faultOf = (text: string) =>
  text.trim() === '' ? 'an empty text' : text.includes('\0') ? 'a NUL character' : undefined;

function refuseRow(row: NewPreference, kind: Preference['kind'] | undefined): void {
  if (row.kind !== kind) refuse(row, `every row a ${kind}, as the first one is`, `a ${row.kind}`);
  const texts =
    row.kind === 'pair'
      ? { prompt: row.prompt, chosen: row.chosen, rejected: row.rejected }
      : { prompt: row.prompt, response: row.response };
  for (const [field, text] of Object.entries(texts)) {
    const fault = faultOf(text);
    if (fault !== undefined) refuse(row, `${field} to be a non-empty string`, fault);
  }
  if (row.kind === 'pair' && row.chosen === row.rejected)
    refuse(row, 'two different responses', 'chosen and rejected equal');
}

/** The split of a row that names none: about `heldOut` of the prompts are held out, each with all its rows. */
export function splitOfPrompt(prompt: string, heldOut: number): PreferenceSplit {
  const draw = createHash('sha256').update(prompt).digest().readUInt32BE(0) / 2 ** 32;
  return draw < heldOut ? 'test' : 'train';
}

/** Held-out rows with a prompt of the training split would not measure generalisation. */
function refuseOtherSplit(row: NewPreference, earlier: NewPreference | undefined): void {
  if (earlier === undefined || earlier.split === row.split) return;
  refuse(
    row,
    `the prompt in one split, ${earlier.split} as on ${earlier.source} line ${earlier.line}`,
    row.split,
  );
}

function refuse({ source, line }: NewPreference, expected: string, found: string): never {
  throw new Failure(
    'InvalidInput',
    `${source} line ${line}: expected ${expected}, found ${found}; nothing was imported: correct the file and import it again`,
  );
}

const toRow = (row: Placed) => {
  const { split, ordinal, kind, prompt, source, line } = row;
  const sides =
    row.kind === 'pair'
      ? { chosen: row.chosen, rejected: row.rejected, response: null, safe: null }
      : { chosen: null, rejected: null, response: row.response, safe: row.safe };
  return { split, ordinal, kind, prompt, ...sides, source, line };
};

const common = { prompt: z.string() };
const preferenceSchema = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('pair'), chosen: z.string(), rejected: z.string() }),
  z.object({ ...common, kind: z.literal('label'), response: z.string(), safe: z.boolean() }),
]);

/**
 * Preferences by their ordinals in a split, in the order of `ordinals`; an ordinal may come twice.
 * @throws Failure 'InvalidInput' where the split has no such row.
 */
export async function readPreferences(
  reader: Queryable,
  digest: string,
  split: PreferenceSplit,
  ordinals: readonly number[],
): Promise<Preference[]> {
  const rows = await readRows(
    reader,
    'preference_rows',
    preferenceSchema,
    `SELECT r.kind, r.prompt, r.chosen, r.rejected, r.response, r.safe
     FROM unnest($3::integer[]) WITH ORDINALITY AS wanted (ordinal, nth)
     JOIN preference_rows r ON r.preference_set = $1 AND r.split = $2 AND r.ordinal = wanted.ordinal
     ORDER BY wanted.nth`,
    [digest, split, [...ordinals]],
  );
  if (rows.length === ordinals.length) return rows;
  throw new Failure(
    'InvalidInput',
    `preferences ${digest}: expected ${ordinals.length} ${split} rows numbered up to ${Math.max(...ordinals)}, found ${rows.length}. ` +
      'Import the preferences again.',
  );
}

/** How many preferences a split has. */
export async function countPreferences(
  reader: Queryable,
  digest: string,
  split: PreferenceSplit,
): Promise<number> {
  const row = await readRow(
    reader,
    'preference_rows',
    z.object({ rows: z.int() }),
    'SELECT count(*) AS rows FROM preference_rows WHERE preference_set = $1 AND split = $2',
    [digest, split],
  );
  return row?.rows ?? 0;
}
