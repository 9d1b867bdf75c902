import { z } from 'zod';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { Failure } from '../../contracts/failures.ts';
import { referenceSchema, sha256Schema } from '../../contracts/reference.ts';
import type { Queryable } from '../database/database.ts';
import { insertRow, readRow, readRows } from '../database/rows.ts';
import { entrySchema } from './prompts.ts';

const common = { name: z.string(), rows: z.int(), importedAt: z.iso.datetime() };
const importedSetSchema = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('prompts'), promptSet: sha256Schema }),
  z.object({ ...common, kind: z.enum(['preferences', 'labels', 'examples']), object: referenceSchema }),
]);
/** A data set that was imported under a name. */
export type ImportedSet = z.infer<typeof importedSetSchema>;

type WithoutTime<Set> = Set extends ImportedSet ? Omit<Set, 'importedAt'> : never;

/** Makes the name refer to this set from now on. */
export async function nameImportedSet(writer: Queryable, set: WithoutTime<ImportedSet>): Promise<void> {
  await insertRow(writer, 'imported_sets', {
    name: set.name,
    kind: set.kind,
    prompt_set: set.kind === 'prompts' ? set.promptSet : null,
    object: set.kind === 'prompts' ? null : set.object,
    rows: set.rows,
  });
}

/** The set that a name refers to; undefined where nothing was imported under it. */
async function findImportedSet(reader: Queryable, name: string): Promise<ImportedSet | undefined> {
  return readRow(
    reader,
    'imported_sets',
    importedSetSchema,
    `SELECT name, kind, prompt_set AS "promptSet", object, rows, imported_at AS "importedAt"
     FROM imported_sets WHERE name = $1 ORDER BY id DESC LIMIT 1`,
    [name],
  );
}

/**
 * The set of this kind that a name refers to.
 * @throws Failure 'InvalidInput' where there is none, or the set is of another kind.
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

const promptSchema = z.object({
  problem: z.string(),
  answer: z.string(),
  domain: z.string(),
  entry: entrySchema.nullable(),
  hash: sha256Schema,
  split: z.enum(['train', 'test']),
  source: z.string(),
  line: z.int(),
});

/** All prompts of a set in their order, training split first. */
export async function readPromptSet(reader: Queryable, promptSet: string): Promise<ImportedPrompt[]> {
  const rows = await readRows(
    reader,
    'prompts and prompt_set_members',
    promptSchema,
    `SELECT p.problem, p.answer, p.domain, p.entry::text, p.problem_hash AS hash, m.split, m.source, m.line
     FROM prompt_set_members m JOIN prompts p ON p.hash = m.prompt
     WHERE m.prompt_set = $1 ORDER BY m.split DESC, m.ordinal`,
    [promptSet],
  );
  return rows.map(({ entry, ...prompt }) => (entry === null ? prompt : { ...prompt, entry }));
}
