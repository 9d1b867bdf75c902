import { Failure } from '../../contracts/failures.ts';
import type { StepKey } from '../../contracts/identity.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import type { Digests } from '../../contracts/training.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json } from '../database/json.ts';
import { branchName } from '../runs/branches.ts';
import { branchValues } from '../runs/lineage.ts';
import { assertCurrentTerm } from '../runs/terms.ts';

export interface NewCheckpoint {
  key: StepKey;
  term: number;
  manifest: Reference;
  digests: Digests;
  /** of all its objects */
  bytes: number;
  /** the weights may differ from those that the step's row names: it was trained again under other numerics */
  acrossSeam?: boolean;
  /** that the trainer wrote */
  seconds?: number;
}

/**
 * Commits a checkpoint whose objects and manifest are written. If one of the same step with the same digests
 * is committed already, that one is the result: another term's objects are then garbage.
 * @throws Failure 'SupersededTerm'; 'Contradiction' where digests differ; 'HistoryAhead' where its step has no row.
 */
export async function commitCheckpoint(
  database: Database,
  checkpoint: NewCheckpoint,
): Promise<CommittedCheckpoint> {
  const { key, term, manifest, digests, bytes, seconds } = checkpoint;
  return database.transaction(async (tx) => {
    await assertCurrentTerm(tx, { run: key.run, stage: key.stage, branch: key.branch, term });
    const committed = await readCheckpoint(tx, key);
    if (committed !== null) return sameCheckpoint(committed, checkpoint);
    await refuseOtherStep(tx, checkpoint);
    await tx.query(
      `INSERT INTO checkpoints (run, stage, branch, step, term, manifest, digests, bytes, seconds_saving)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [...branchValues(key), key.step, term, json(manifest), json(digests), bytes, seconds],
    );
    return { step: key.step, manifest, digests };
  });
}

async function readCheckpoint(reader: Queryable, key: StepKey): Promise<CommittedCheckpoint | null> {
  const [row] = await reader.query<CommittedCheckpoint>(
    `SELECT step, manifest, digests FROM checkpoints WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4`,
    [...branchValues(key), key.step],
  );
  return row ?? null;
}

const PARTS = ['weights', 'moments', 'reference'] as const;

function sameCheckpoint(
  committed: CommittedCheckpoint,
  { key, digests, manifest }: NewCheckpoint,
): CommittedCheckpoint {
  const differing = PARTS.filter((part) => committed.digests[part] !== digests[part]);
  if (differing.length === 0) return committed;
  const both = differing
    .map((part) => `${part} ${committed.digests[part]}, found ${digests[part]}`)
    .join('; ');
  throw new Failure(
    'Contradiction',
    `checkpoint of ${branchName(key)} step ${key.step}: expected ${both} ` +
      `(committed: ${committed.manifest.uri}; found: ${manifest.uri}). Nothing was written.`,
  );
}

/** A checkpoint holds the weights that its step's row names, unless a seam lies between them (rule 12). */
async function refuseOtherStep(tx: Transaction, { key, digests, acrossSeam }: NewCheckpoint): Promise<void> {
  const [row] = await tx.query<{ digest: string | null }>(
    `SELECT digest_after AS digest FROM steps WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4`,
    [...branchValues(key), key.step],
  );
  const where = `checkpoint of ${branchName(key)} step ${key.step}`;
  if (row === undefined) {
    throw new Failure(
      'HistoryAhead',
      `${where}: expected its step to be recorded first, found no row. Nothing was written.`,
    );
  }
  if (acrossSeam || row.digest === null || row.digest === digests.weights) return;
  throw new Failure(
    'Contradiction',
    `${where}: expected the weights ${row.digest} that the step left, found ${digests.weights}. Nothing was written.`,
  );
}
