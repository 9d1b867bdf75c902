import { setTimeout as sleep } from 'node:timers/promises';
import type { Stores } from '../../../activities/dependencies.ts';
import { Failure } from '../../../contracts/failures.ts';
import { nameImportedSet } from '../../../stores/data/imported-sets.ts';
import { importPromptSet } from '../../../stores/data/prompts.ts';
import type { Gathered } from './gather.ts';

export interface WrittenImport {
  /** of the prompts in their order, or of the rows' bytes */
  digest: string;
  train: number;
  test: number;
  rows: number;
}

const TRIES = 5;

/**
 * Keeps what was gathered, and makes the name mean it. The same rows are kept once, whatever their names: so it is
 * tried again where a server was too busy or away for a moment.
 */
export async function writeImport(
  stores: Pick<Stores, 'database' | 'objects'>,
  name: string,
  gathered: Gathered,
): Promise<WrittenImport> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(stores, name, gathered);
    } catch (error) {
      if (!(error instanceof Failure) || !error.retryable || attempt === TRIES) throw error;
      await sleep(2 ** attempt * 500);
    }
  }
}

async function writeOnce(
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
