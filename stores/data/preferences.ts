import { createHash } from 'node:crypto';
import { Failure } from '../../contracts/failures.ts';
import { batchesOf } from '../database/batches-of-rows.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';

/** Two responses to a prompt, of which `chosen` is the better one; or one response, and whether it is safe. */
export type Preference =
  | { kind: 'pair'; prompt: string; chosen: string; rejected: string }
  | { kind: 'label'; prompt: string; response: string; safe: boolean };

export type PreferenceSplit = 'train' | 'test';

/** A preference with its split, and the file (or generator) and line that it came from. */
export type NewPreference = Preference & { split: PreferenceSplit; source: string; line: number };

export interface NewPreferenceSet {
  /** for people */
  name: string;
  /** all of one kind, in the order that the walk over them will count by */
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
 * Writes preferences whole, or nothing. Imported before, they are the same set.
 * @throws Failure 'InvalidInput' naming file and line of a row that teaches nothing: a pair with equal sides, an
 * empty prompt or response, a row of the other kind, a prompt in both splits; or where a split has no row, or no label
 * of one kind.
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
    const created = await tx.query(
      'INSERT INTO preference_sets (digest, name, kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING digest',
      [set.digest, name, set.kind],
    );
    if (created.length > 0) await insertRows(tx, set.digest, placed);
  });
  return set;
}

/** What is learned from a row; where it came from decides nothing. */
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

/** A reward model is trained on one split and measured on the other; labels say something only beside their opposite. */
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

/** A text that cannot be a side of a preference; undefined where the text is one. */
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

/** A prompt that is trained on measures nothing. */
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
    `${source} line ${line}: expected ${expected}, found ${found}; nothing was imported: mend the file and import it again`,
  );
}

async function insertRows(tx: Transaction, set: string, rows: readonly Placed[]): Promise<void> {
  for (const batch of batchesOf(rows, charactersOf)) {
    const chunk = batch.map(toRow);
    const column = (name: keyof ReturnType<typeof toRow>) => chunk.map((row) => row[name]);
    await tx.query(
      `INSERT INTO preference_rows (preference_set, split, ordinal, kind, prompt, chosen, rejected, response, safe, source, line)
       SELECT $1, r.* FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
         $9::boolean[], $10::text[], $11::integer[]) AS r`,
      [
        set,
        column('split'),
        column('ordinal'),
        column('kind'),
        column('prompt'),
        column('chosen'),
        column('rejected'),
        column('response'),
        column('safe'),
        column('source'),
        column('line'),
      ],
    );
  }
}

const charactersOf = (row: Placed) =>
  row.prompt.length + (row.kind === 'pair' ? row.chosen.length + row.rejected.length : row.response.length);

const toRow = (row: Placed) => ({ chosen: null, rejected: null, response: null, safe: null, ...row });

/**
 * Preferences by their places in a split, in the order asked for; a place may come twice.
 * @throws Failure 'InvalidInput' where the set has no such place.
 */
export async function readPreferences(
  reader: Queryable,
  digest: string,
  split: PreferenceSplit,
  ordinals: readonly number[],
): Promise<Preference[]> {
  const rows = await reader.query<Parameters<typeof fromRow>[0]>(
    `SELECT r.kind, r.prompt, r.chosen, r.rejected, r.response, r.safe
     FROM unnest($3::integer[]) WITH ORDINALITY AS asked (ordinal, place)
     JOIN preference_rows r ON r.preference_set = $1 AND r.split = $2 AND r.ordinal = asked.ordinal
     ORDER BY asked.place`,
    [digest, split, [...ordinals]],
  );
  if (rows.length === ordinals.length) return rows.map(fromRow);
  throw new Failure(
    'InvalidInput',
    `preferences ${digest}: expected ${ordinals.length} ${split} rows at places up to ${Math.max(...ordinals)}, found ${rows.length}. ` +
      'Import the preferences again.',
  );
}

interface Row {
  kind: Preference['kind'];
  prompt: string;
  chosen: string | null;
  rejected: string | null;
  response: string | null;
  safe: boolean | null;
}

/** The table's own check says which columns a kind has. */
function fromRow({ kind, prompt, chosen, rejected, response, safe }: Row): Preference {
  return kind === 'pair'
    ? { kind, prompt, chosen: chosen ?? '', rejected: rejected ?? '' }
    : { kind, prompt, response: response ?? '', safe: safe ?? false };
}

/** How many preferences a split has. */
export async function countPreferences(
  reader: Queryable,
  digest: string,
  split: PreferenceSplit,
): Promise<number> {
  const [row] = await reader.query<{ rows: number }>(
    'SELECT count(*) AS rows FROM preference_rows WHERE preference_set = $1 AND split = $2',
    [digest, split],
  );
  return row?.rows ?? 0;
}
