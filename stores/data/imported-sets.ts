import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { parseExactJson } from '../../contracts/exact-json.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Queryable } from '../database/database.ts';

/** A data set as it was imported under a name. */
export type ImportedSet = { name: string; rows: number; importedAt: Date } & (
  | { kind: 'prompts'; promptSet: string }
  | { kind: 'preferences' | 'labels' | 'examples'; object: Reference }
);

/** Makes the name mean this set from here on. */
export async function nameImportedSet(
  writer: Queryable,
  set: Omit<ImportedSet, 'importedAt'> & { promptSet?: string; object?: Reference },
): Promise<void> {
  await writer.query(
    'INSERT INTO imported_sets (name, kind, prompt_set, object, rows) VALUES ($1, $2, $3, $4, $5)',
    [set.name, set.kind, set.promptSet ?? null, set.object ? JSON.stringify(set.object) : null, set.rows],
  );
}

/** What a name means now; undefined where nothing was imported under it. */
async function findImportedSet(reader: Queryable, name: string): Promise<ImportedSet | undefined> {
  const [found] = await reader.query<ImportedSet>(
    `SELECT name, kind, prompt_set AS "promptSet", object, rows, imported_at AS "importedAt"
     FROM imported_sets WHERE name = $1 ORDER BY id DESC LIMIT 1`,
    [name],
  );
  return found;
}

/**
 * The set that a name means, of the kind that is wanted.
 * @throws Failure 'InvalidInput' where there is none, or one of another kind.
 */
export async function importedSet<Kind extends ImportedSet['kind']>(
  reader: Queryable,
  name: string,
  kind: Kind,
): Promise<Extract<ImportedSet, { kind: Kind }>> {
  const found = await findImportedSet(reader, name);
  if (found !== undefined && isOf(found, kind)) return found;
  const instead = found === undefined ? 'none' : found.kind;
  throw new Failure(
    'InvalidInput',
    `imported set ${name}: expected ${kind}, found ${instead}. Import them with \`r1 import FILE --name ${name}\`.`,
  );
}

function isOf<Kind extends ImportedSet['kind']>(
  set: ImportedSet,
  kind: Kind,
): set is Extract<ImportedSet, { kind: Kind }> {
  return set.kind === kind;
}

/** All prompts of a set in their order, training split first. */
export async function readPromptSet(reader: Queryable, promptSet: string): Promise<ImportedPrompt[]> {
  const rows = await reader.query<Omit<ImportedPrompt, 'entry'> & { entry: string | null }>(
    `SELECT p.problem, p.answer, p.domain, p.entry::text, p.problem_hash AS hash, m.split, m.source, m.line
     FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 ORDER BY m.split DESC, m.ordinal`,
    [promptSet],
  );
  return rows.map(({ entry, ...prompt }) =>
    entry === null ? prompt : { ...prompt, entry: parseExactJson(entry) as Record<string, unknown> },
  );
}
