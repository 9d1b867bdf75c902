import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { canonicalJson, parseExactJson, stringifyExactJson } from '../../contracts/exact-json.ts';
import { Failure } from '../../contracts/failures.ts';
import type { DrawnPrompt } from '../../contracts/records/schemas.ts';
import { sha256Schema } from '../../contracts/reference.ts';
import type { Database, Queryable } from '../database/database.ts';
import { insertRow, insertRows, readRow, readRows } from '../database/rows.ts';

export type Split = ImportedPrompt['split'];

export interface NewPromptSet {
  /** for display only */
  name: string;
  /** in the order in which training goes through them */
  prompts: readonly ImportedPrompt[];
}

export interface PromptSet {
  /** of the prompts in their order: equal data give an equal set */
  digest: string;
  train: number;
  test: number;
}

/** A prompt with its position in its split. */
interface Member extends ImportedPrompt {
  contentHash: string;
  ordinal: number;
  /** its entry as JSON; null where it has none */
  entryText: string | null;
}

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

/** Identifies a prompt: a hash of all that decides what is sampled and how it is judged. */
export const promptHash = ({
  problem,
  answer,
  domain,
  entry,
}: Pick<ImportedPrompt, 'problem' | 'answer' | 'domain' | 'entry'>) =>
  sha256Of(canonicalJson([problem, answer, domain, ...(entry === undefined ? [] : [entry])]));

/**
 * Writes a data set as a whole, or nothing of it. Importing it again gives the same set. Its prompts are written first,
 * in batches outside a transaction: a prompt is stored once for all sets that it belongs to, and a prompt without a set
 * is never read. The set and its members follow in one transaction.
 * @throws Failure 'InvalidInput' naming the line of a row that Postgres cannot store or that occurs twice.
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
  if (await exists(database, digest)) return set;
  await insertPrompts(database, members);
  const rows = members.map(({ split, ordinal, contentHash, source, line }) => ({
    split,
    ordinal,
    prompt: contentHash,
    source,
    line,
  }));
  await database.transaction(async (tx) => {
    const created = await insertRow(
      tx,
      'prompt_sets',
      { digest, name },
      { onConflict: 'nothing', returning: 'digest' },
    );
    if (created.length > 0) await insertRows(tx, 'prompt_set_members', { prompt_set: digest }, rows);
  });
  return set;
}

async function exists(reader: Queryable, digest: string): Promise<boolean> {
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
      `${source} line ${line}: expected ${expected}, found ${found}; nothing was imported: correct the file and import it again`,
    );
  };
  if ([problem, answer, domain].some((text) => text.includes('\0'))) refuse('text', 'a NUL character');
  if (containsNul(entry)) refuse('an entry of text', 'a NUL character in it');
  if (earlier) refuse('each prompt once', `the same as on ${earlier.source} line ${earlier.line}`);
}

/** Whether any text in a value of JSON has a NUL character, which Postgres cannot store. */
function containsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, each]) => key.includes('\0') || containsNul(each));
}

/** In the order of their hashes: two imports at the same time lock rows in the same order and cannot deadlock. */
async function insertPrompts(writer: Queryable, members: readonly Member[]): Promise<void> {
  const sorted = [...members].sort((a, b) => (a.contentHash < b.contentHash ? -1 : 1));
  const rows = sorted.map(({ contentHash, hash, problem, answer, domain, entryText }) => ({
    hash: contentHash,
    problem_hash: hash,
    problem,
    answer,
    domain,
    entry: entryText,
  }));
  await insertRows(writer, 'prompts', {}, rows, { onConflict: 'nothing' });
}

/**
 * Prompts by their ordinals in a split, in the order of `ordinals`; an ordinal may come twice.
 * @throws Failure 'InvalidInput' where the split has no such prompt; 'CorruptObject' where a prompt was altered.
 */
export async function readPrompts(
  reader: Queryable,
  promptSet: string,
  split: Split,
  ordinals: readonly number[],
): Promise<Omit<DrawnPrompt, 'slot'>[]> {
  const rows = await readRows(
    reader,
    'prompts',
    promptRowSchema,
    `SELECT p.hash, p.problem, p.answer, p.domain, p.entry::text
     FROM unnest($3::integer[]) WITH ORDINALITY AS wanted (ordinal, nth)
     JOIN prompt_set_members m ON m.prompt_set = $1 AND m.split = $2 AND m.ordinal = wanted.ordinal
     JOIN prompts p ON p.hash = m.prompt
     ORDER BY wanted.nth`,
    [promptSet, split, [...ordinals]],
  );
  if (rows.length === ordinals.length) return rows.map(drawn);
  throw new Failure(
    'InvalidInput',
    `prompt set ${promptSet}: expected ${ordinals.length} ${split} prompts numbered up to ${Math.max(...ordinals)}, found ${rows.length}. ` +
      'Import the data set again.',
  );
}

/** An entry, selected as text: the driver would round the integers of tests and outputs to doubles. */
export const entrySchema = z
  .string()
  .transform(parseExactJson)
  .pipe(z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null));

const promptRowSchema = z.object({
  hash: sha256Schema,
  problem: z.string(),
  answer: z.string(),
  domain: z.string(),
  /** null: the prompt has none */
  entry: entrySchema.nullable(),
});
type PromptRow = z.infer<typeof promptRowSchema>;

const drawn = (row: PromptRow): Omit<DrawnPrompt, 'slot'> => {
  const { hash: prompt, problem, answer, domain } = storedPrompt(row);
  return { prompt, problem, answer, domain };
};

/** A prompt's hash covers its content (`promptHash`): where they differ, the row was changed after its import. */
function storedPrompt(row: PromptRow) {
  const stored = { ...row, entry: row.entry ?? undefined };
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
  const row = await readRow(
    reader,
    'prompt_set_members',
    z.object({ prompts: z.int() }),
    'SELECT count(*) AS prompts FROM prompt_set_members WHERE prompt_set = $1 AND split = $2',
    [promptSet, split],
  );
  return row?.prompts ?? 0;
}

/**
 * The entries of prompts, by the prompts' hashes. Prompts without an entry are left out.
 * @throws Failure 'CorruptObject' where a prompt was altered.
 */
export async function readEntries(
  reader: Queryable,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  const rows = await readRows(
    reader,
    'prompts',
    promptRowSchema,
    `SELECT hash, problem, answer, domain, entry::text FROM prompts
     WHERE hash = ANY($1::text[]) AND entry IS NOT NULL`,
    [[...new Set(hashes)]],
  );
  return new Map(rows.map(storedPrompt).map(({ hash, entry }) => [hash, entry]));
}

/** The problems of a split, in order. Decontamination compares samples with them. */
export async function listProblems(reader: Queryable, promptSet: string, split: Split): Promise<string[]> {
  const rows = await readRows(
    reader,
    'prompts',
    z.object({ problem: z.string() }),
    `SELECT p.problem FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 AND m.split = $2 ORDER BY m.ordinal`,
    [promptSet, split],
  );
  return rows.map(({ problem }) => problem);
}

/** Which of these hashes of normalised problems occur among a set's training prompts. */
export async function trainedAmong(
  reader: Queryable,
  promptSet: string,
  hashes: readonly string[],
): Promise<Set<string>> {
  const rows = await readRows(
    reader,
    'prompts',
    z.object({ hash: z.string() }),
    `SELECT DISTINCT p.problem_hash AS hash FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 AND m.split = 'train' AND p.problem_hash = ANY($2)`,
    [promptSet, [...hashes]],
  );
  return new Set(rows.map(({ hash }) => hash));
}

/** Ordinals of a split's prompts by domain, each in the set's order. */
export async function ordinalsByDomain(
  reader: Queryable,
  promptSet: string,
  split: Split,
): Promise<Record<string, number[]>> {
  const rows = await readRows(
    reader,
    'prompts and prompt_set_members',
    z.object({ domain: z.string(), ordinals: z.array(z.int()) }),
    `SELECT p.domain, array_agg(m.ordinal ORDER BY m.ordinal) AS ordinals
     FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 AND m.split = $2 GROUP BY p.domain ORDER BY p.domain`,
    [promptSet, split],
  );
  return Object.fromEntries(rows.map(({ domain, ordinals }) => [domain, ordinals]));
}
