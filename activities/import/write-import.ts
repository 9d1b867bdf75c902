import { nameImportedSet } from '../../stores/imported-sets.ts';
import { importPromptSet } from '../../stores/prompts.ts';
import type { Stores } from '../dependencies.ts';
import type { Gathered } from './gather.ts';

export interface WrittenImport {
  /** of the prompts in their order, or of the rows' bytes */
  digest: string;
  train: number;
  test: number;
  rows: number;
}

/** Keeps what was gathered, and makes the name mean it. The same rows are kept once, whatever their names. */
export async function writeImport(
  { database, objects }: Pick<Stores, 'database' | 'objects'>,
  name: string,
  { kind, prompts, rows }: Gathered,
): Promise<WrittenImport> {
  if (kind !== 'prompts') {
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const key = (sha256: string) => `imports/${kind}/${sha256}.jsonl`;
    const object = await objects.put(key, new TextEncoder().encode(lines));
    await nameImportedSet(database, { name, kind, object, rows: rows.length });
    return { digest: object.sha256, train: rows.length, test: 0, rows: rows.length };
  }
  // in the order in which they are read back
  const ordered = (['train', 'test'] as const).flatMap((split) => prompts.filter((p) => p.split === split));
  const { digest, train, test } = await importPromptSet(database, { name, prompts: ordered });
  await nameImportedSet(database, { name, kind, promptSet: digest, rows: ordered.length });
  return { digest, train, test, rows: ordered.length };
}
