import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import type { Database, Queryable } from '../database/database.ts';
import { json } from '../database/json.ts';
import { currentBranch } from './branches.ts';
import { lastCheckpoint } from './stage-position.ts';

/** The checkpoint that a stage starts from; null until it is settled. */
export async function readInitial(
  reader: Queryable,
  { run, stage }: StageKey,
): Promise<CommittedCheckpoint | null> {
  const [row] = await reader.query<{
    manifest: CommittedCheckpoint['manifest'] | null;
    digests: CommittedCheckpoint['digests'] | null;
  }>(
    `SELECT initial_manifest AS manifest, initial_digests AS digests FROM stages WHERE run = $1 AND stage = $2`,
    [run, stage],
  );
  return row?.manifest && row.digests ? { step: 0, manifest: row.manifest, digests: row.digests } : null;
}

/** Settles where a stage starts, once; what was settled first stays. */
export async function settleInitial(
  database: Database,
  key: StageKey,
  { manifest, digests }: CommittedCheckpoint,
): Promise<void> {
  await database.query(
    `UPDATE stages SET initial_manifest = $3, initial_digests = $4
     WHERE run = $1 AND stage = $2 AND initial_manifest IS NULL`,
    [key.run, key.stage, json(manifest), json(digests)],
  );
}

/**
 * The last checkpoint of a complete stage: where the next one starts.
 * @throws Failure 'Contradiction' where the stage is not complete, or has no checkpoint.
 */
export async function finalCheckpoint(database: Database, key: StageKey): Promise<CommittedCheckpoint> {
  return database.snapshot(async (reader) => {
    const [row] = await reader.query<{ status: string }>(
      'SELECT status FROM stages WHERE run = $1 AND stage = $2',
      [key.run, key.stage],
    );
    const found =
      row?.status === 'complete' ? await lastCheckpoint(reader, await currentBranch(reader, key)) : undefined;
    if (found !== undefined) return found;
    throw new Failure(
      'Contradiction',
      `${key.run}/${key.stage}: expected it complete with a checkpoint, found it ${row?.status ?? 'missing'}`,
    );
  });
}

/** The last checkpoint of a stage's current branch, complete or not. Throws Failure 'Contradiction' without one. */
export async function latestCheckpoint(database: Database, key: StageKey): Promise<CommittedCheckpoint> {
  return database.snapshot(async (reader) => {
    const found = await lastCheckpoint(reader, await currentBranch(reader, key));
    if (found !== undefined) return found;
    throw new Failure(
      'Contradiction',
      `${key.run}/${key.stage}: expected a committed checkpoint, found none`,
    );
  });
}
