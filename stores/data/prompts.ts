import { createHash } from 'node:crypto';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { canonicalJson, parseExactJson, stringifyExactJson } from '../../contracts/exact-json.ts';
import { Failure } from '../../contracts/failures.ts';
import type { DrawnPrompt } from '../../contracts/records.ts';
import { batchesOf } from '../database/batches-of-rows.ts';
import type { Database, Queryable } from '../database/database.ts';

export type Split = ImportedPrompt['split'];

export interface NewPromptSet {
  /** for people */
  name: string;
  /** in the order that the walk over the prompts will count by */
  prompts: readonly ImportedPrompt[];
}

export interface PromptSet {
  /** of the prompts in their order: equal data give an equal set */
  digest: string;
  train: number;
  test: number;
}

/** A prompt and its place in its split. */
interface Member extends ImportedPrompt {
  contentHash: string;
  ordinal: number;
  /** its entry as JSON; null where it has none */
  entryText: string | null;
}

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

/** What a prompt is called by: all that decides what is sampled and how it is judged. */
export const promptHash = ({
  problem,
  answer,
  domain,
  entry,
}: Pick<ImportedPrompt, 'problem' | 'answer' | 'domain' | 'entry'>) =>
  sha256Of(canonicalJson([problem, answer, domain, ...(entry === undefined ? [] : [entry])]));

/**
 * Writes a data set whole, or none of it. Imported before, it is the same set. Its prompts are written first, a batch at
 * a time: each is there once, whatever sets it belongs to, and means nothing without one. The set and its members
 * follow in one transaction, for which everything is ready: it never waits for this process.
 * @throws Failure 'InvalidInput' naming the line of a row that Postgres cannot hold or that comes twice.
 */
export async function importPromptSet(
  database: Database,
  { name, prompts }: NewPromptSet,
): Promise<PromptSet> {
  const members = placed(prompts);
  const digest = sha256Of(
    members.map(({ split, ordinal, contentHash }) => `${split} ${ordinal} ${contentHash}\n`).join(''),
  );
  const count = (split: Split) => members.filter((member) => member.split === split).length;
  const set = { digest, train: count('train'), test: count('test') };
  if (await isThere(database, digest)) return set;
  await insertPrompts(database, members);
  const statements = memberStatements(digest, members);
  await database.transaction(async (tx) => {
    const created = await tx.query(
      'INSERT INTO prompt_sets (digest, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING digest',
      [digest, name],
    );
    if (created.length === 0) return;
    for (const values of statements) await tx.query(INSERT_MEMBERS, values);
  });
  return set;
}

async function isThere(reader: Queryable, digest: string): Promise<boolean> {
  const found = await reader.query('SELECT FROM prompt_sets WHERE digest = $1', [digest]);
  return found.length > 0;
}

function placed(prompts: readonly ImportedPrompt[]): Member[] {
  const counts: Record<Split, number> = { train: 0, test: 0 };
  const seen = new Map<string, ImportedPrompt>();
  return prompts.map((prompt) => {
    const contentHash = promptHash(prompt);
    refuseRow(prompt, seen.get(contentHash));
    seen.set(contentHash, prompt);
    const entryText = prompt.entry === undefined ? null : stringifyExactJson(prompt.entry);
    return { ...prompt, contentHash, entryText, ordinal: counts[prompt.split]++ };
  });
}

function refuseRow(
  { problem, answer, domain, entry, source, line }: ImportedPrompt,
  earlier: ImportedPrompt | undefined,
): void {
  const refuse = (expected: string, found: string) => {
    throw new Failure(
      'InvalidInput',
      `${source} line ${line}: expected ${expected}, found ${found}; nothing was imported: mend the file and import it again`,
    );
  };
  if ([problem, answer, domain].some((text) => text.includes('\0'))) refuse('text', 'a NUL character');
  if (holdsNul(entry)) refuse('an entry of text', 'a NUL character in it');
  if (earlier) refuse('each prompt once', `the same as on ${earlier.source} line ${earlier.line}`);
}

/** Whether any text in a value of JSON has a NUL character, which Postgres cannot hold. */
function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, each]) => key.includes('\0') || holdsNul(each));
}

/** In the order of their hashes: two imports at once then wait for one another instead of for ever. */
async function insertPrompts(writer: Queryable, members: readonly Member[]): Promise<void> {
  const sorted = [...members].sort((a, b) => (a.contentHash < b.contentHash ? -1 : 1));
  for (const chunk of batchesOf(sorted, charactersOf)) {
    await writer.query(
      `INSERT INTO prompts (hash, problem_hash, problem, answer, domain, entry)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) ON CONFLICT DO NOTHING`,
      [
        chunk.map(({ contentHash }) => contentHash),
        chunk.map(({ hash }) => hash),
        chunk.map(({ problem }) => problem),
        chunk.map(({ answer }) => answer),
        chunk.map(({ domain }) => domain),
        chunk.map(({ entryText }) => entryText),
      ],
    );
  }
}

const charactersOf = ({ problem, answer, entryText }: Member) =>
  problem.length + answer.length + (entryText?.length ?? 0);

const INSERT_MEMBERS = `
  INSERT INTO prompt_set_members (prompt_set, split, ordinal, prompt, source, line)
  SELECT $1, m.* FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::integer[]) AS m`;

/** The values of each statement. */
function memberStatements(set: string, members: readonly Member[]): unknown[][] {
  return batchesOf(members, ({ source }) => source.length).map((batch) => [
    set,
    batch.map(({ split }) => split),
    batch.map(({ ordinal }) => ordinal),
    batch.map(({ contentHash }) => contentHash),
    batch.map(({ source }) => source),
    batch.map(({ line }) => line),
  ]);
}

/**
 * Prompts by their places in a split, in the order asked for; a place may come twice.
 * @throws Failure 'InvalidInput' where the set has no such place; 'CorruptObject' where a prompt was altered.
 */
export async function readPrompts(
  reader: Queryable,
  promptSet: string,
  split: Split,
  ordinals: readonly number[],
): Promise<Omit<DrawnPrompt, 'slot'>[]> {
  const rows = await reader.query<PromptRow>(
    `SELECT p.hash, p.problem, p.answer, p.domain, p.entry::text
     FROM unnest($3::integer[]) WITH ORDINALITY AS asked (ordinal, place)
     JOIN prompt_set_members m ON m.prompt_set = $1 AND m.split = $2 AND m.ordinal = asked.ordinal
     JOIN prompts p ON p.hash = m.prompt
     ORDER BY asked.place`,
    [promptSet, split, [...ordinals]],
  );
  if (rows.length === ordinals.length) return rows.map(drawn);
  throw new Failure(
    'InvalidInput',
    `prompt set ${promptSet}: expected ${ordinals.length} ${split} prompts at places up to ${Math.max(...ordinals)}, found ${rows.length}. ` +
      'Import the data set again.',
  );
}

interface PromptRow extends Pick<DrawnPrompt, 'problem' | 'answer' | 'domain'> {
  hash: string;
  /** as text: the driver would round the integers of tests and outputs to doubles; null: the prompt has none */
  entry: string | null;
}
interface StoredPrompt extends Omit<PromptRow, 'entry'> {
  entry: Record<string, unknown> | undefined;
}

const drawn = (row: PromptRow): Omit<DrawnPrompt, 'slot'> => {
  const { hash: prompt, problem, answer, domain } = storedPrompt(row);
  return { prompt, problem, answer, domain };
};

/** A prompt is called by what it says (`promptHash`): a row that says something else was changed after its import. */
function storedPrompt(row: PromptRow): StoredPrompt {
  const entry = row.entry === null ? undefined : (parseExactJson(row.entry) as Record<string, unknown>);
  const stored = { ...row, entry };
  const found = promptHash(stored);
  if (found === row.hash) return stored;
  throw new Failure(
    'CorruptObject',
    `prompts: expected the row ${row.hash} as it was imported, found one whose content hashes to ${found}: it was altered ` +
      `in Postgres. Its problem now reads ${JSON.stringify(row.problem.slice(0, 80))}. Restore the row (import the same ` +
      'data set into another database and copy it), or import the changed data set and launch a new run on it.',
  );
}

/** How many prompts a split has. */
export async function countPrompts(reader: Queryable, promptSet: string, split: Split): Promise<number> {
  const [row] = await reader.query<{ prompts: number }>(
    'SELECT count(*) AS prompts FROM prompt_set_members WHERE prompt_set = $1 AND split = $2',
    [promptSet, split],
  );
  return row?.prompts ?? 0;
}

/**
 * The entries of prompts, by the prompts' hashes; those that have none are left out.
 * @throws Failure 'CorruptObject' where a prompt was altered.
 */
export async function readEntries(
  reader: Queryable,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  const rows = await reader.query<PromptRow>(
    `SELECT hash, problem, answer, domain, entry::text FROM prompts
     WHERE hash = ANY($1::text[]) AND entry IS NOT NULL`,
    [[...new Set(hashes)]],
  );
  return new Map(rows.map(storedPrompt).map(({ hash, entry }) => [hash, entry]));
}

/** The problems of a split, in order: what decontamination compares with. */
export async function listProblems(reader: Queryable, promptSet: string, split: Split): Promise<string[]> {
  const rows = await reader.query<{ problem: string }>(
    `SELECT p.problem FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 AND m.split = $2 ORDER BY m.ordinal`,
    [promptSet, split],
  );
  return rows.map(({ problem }) => problem);
}

/** Which of these hashes of normalised problems are those of a set's training prompts. */
export async function trainedAmong(
  reader: Queryable,
  promptSet: string,
  hashes: readonly string[],
): Promise<Set<string>> {
  const rows = await reader.query<{ hash: string }>(
    `SELECT DISTINCT p.problem_hash AS hash FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 AND m.split = 'train' AND p.problem_hash = ANY($2)`,
    [promptSet, [...hashes]],
  );
  return new Set(rows.map(({ hash }) => hash));
}

/** Places of a split's prompts by domain, each in the set's order. */
export async function ordinalsByDomain(
  reader: Queryable,
  promptSet: string,
  split: Split,
): Promise<Record<string, number[]>> {
  const rows = await reader.query<{ domain: string; ordinals: number[] }>(
    `SELECT p.domain, array_agg(m.ordinal ORDER BY m.ordinal) AS ordinals
     FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 AND m.split = $2 GROUP BY p.domain ORDER BY p.domain`,
    [promptSet, split],
  );
  return Object.fromEntries(rows.map(({ domain, ordinals }) => [domain, ordinals]));
}
